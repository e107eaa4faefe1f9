/**
 * The recording proxy of jwarc, started by a class of ours because its own command listens on all addresses. It does not deduplicate.
 */
import { mkdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { installed, type Peer } from './peer.ts';

export const jwarc: Peer = {
  name: 'jwarc',
  alwaysGzip: true,
  warcs: 'warcs',
  installedFile: 'jwarc.jar',
  install: [
    [
      'mvn',
      '--quiet',
      '--batch-mode',
      'org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy',
      '-Dartifact=org.netpreserve:jwarc:0.36.0',
      '-DoutputDirectory=.',
      '-Dmdep.stripVersion=true',
    ],
  ],
  start: ({ dir, port }) => {
    mkdirSync(join(dir, 'warcs'));
    const file = join(dir, 'warcs', 'jwarc.warc.gz');
    const recorder = resolve('test/bench/peers/JwarcRecorder.java');
    return { command: 'java', args: ['-cp', installed('jwarc', 'jwarc.jar'), recorder, String(port), file], cwd: dir };
  },
};
