/**
 * The last tests of a file: other people's readers accept everything that its programs have written.
 *
 * What those readers are known to get wrong is expected of them, to the line.
 */
import assert from 'node:assert/strict';
import { appendFileSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { jwarc, warcio } from '../../interop/validators.ts';
import { readFolder, type TestRecord } from '../../support/proxy.ts';
import type { Workplace } from './program.ts';

/** It hashes the body with its chunk framing, against ISO 28500:2017 §5.9 (webrecorder/warcio issue 75). */
function hashesFraming({ type, block, fields }: TestRecord): string[] {
  const chunked = type === 'response' && /^transfer-encoding:.*chunked/im.test(headOf(block));
  return chunked ? [`payload digest failed ${fields.get('warc-payload-digest')}`] : [];
}

/** It compares Content-Length with the body's size, whatever the method and the status say. */
function comparesLength({ type, block }: TestRecord): string[] {
  const head = headOf(block);
  const length = /^content-length: *(\d+)/im.exec(head)?.[1];
  const size = block.length - head.length;
  return type === 'response' && length !== undefined && Number(length) !== size ? [`invalid HTTP header Content-Length`] : [];
}

const READERS = [
  { reader: warcio(), wrong: hashesFraming },
  { reader: jwarc(), wrong: comparesLength },
];

/** To be called after all other tests of the file are declared. */
export function testReaders(place: Workplace): void {
  for (const { reader, wrong } of READERS) {
    test(`${reader.name} accepts every file`, { skip: reader.skip }, async (t) => {
      const dir = join(place.dir, `joined-${reader.name.replace(/\W/g, '')}`);
      const files = joined(place.files(), dir);
      if (files.length === 0) return t.skip('nothing was written: the client is missing');
      const expected = (await readFolder(dir)).flatMap(wrong);
      const verdicts = files.map((file) => reader.check(file));
      const complaints = verdicts.flatMap((verdict) => verdict.complaints);
      const matching = complaints.map((text, index) => expected.find((part, at) => at === index && text.includes(part)) ?? text);
      assert.deepEqual(matching, expected);
      for (const verdict of verdicts) assert.ok(verdict.accepted || verdict.complaints.length > 0);
    });
  }
}

/** WARC files one after the other are a WARC file. Saves starting the readers once for each. */
function joined(files: readonly string[], dir: string): string[] {
  mkdirSync(dir);
  const all = new Set<string>();
  for (const file of files) {
    const to = join(dir, `all${/\.warc(\.gz)?$/.exec(file)?.[0]}`);
    appendFileSync(to, readFileSync(file));
    all.add(to);
  }
  return [...all].sort();
}

function headOf(block: Buffer): string {
  return block.toString('latin1', 0, block.indexOf('\r\n\r\n') + 4);
}
