/**
 * What is to be done with finished WARC files, by the options.
 */
import { rm } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import { commandStep } from '../finished/command.ts';
import { Finished } from '../finished/finished.ts';
import type { Step } from '../finished/step.ts';
import { uploadStep } from '../finished/upload.ts';
import { OptionError } from '../options/error.ts';
import { S3_URL, type FinishedSlice } from '../options/rows/finished.ts';
import type { WarcSlice } from '../options/rows/warc-files.ts';
import { warcFolders } from '../options/warc-dir.ts';
import type { Log } from '../util/log.ts';
import { reasonOf } from '../util/thrown.ts';
import { WarcOptionError } from '../warc/errors.ts';
import { prefixIn } from '../warc/write/filename.ts';

/** @returns undefined when nothing is asked for. @throws OptionError, WarcOptionError */
export async function openFinished(options: FinishedSlice & WarcSlice, log: Log): Promise<Finished | undefined> {
  const steps = stepsOf(options);
  if (steps.length === 0) return undefined;
  const { subdirPrefix, warcFilename } = options;
  const { dir } = warcFolders(options);
  const prefixOf = (path: string) => (subdirPrefix && path.includes('/') ? dirname(path) : prefixIn(warcFilename, basename(path)));
  try {
    return await Finished.open({ dir, subdirPrefix, steps, prefixOf, log });
  } catch (error) {
    throw new WarcOptionError(`--dir ${dir}: what was done with finished files cannot be read or written: ${reasonOf(error)}`, {
      cause: error,
    });
  }
}

function stepsOf({ onFinished, onFinishedTimeout, upload, uploadEndpoint, uploadRegion, uploadDelete }: FinishedSlice): Step[] {
  const steps: Step[] = [];
  if (onFinished !== undefined) steps.push(commandStep({ command: onFinished, timeoutMs: onFinishedTimeout * 1000 }));
  if (upload !== undefined) {
    const [, bucket = '', prefix = ''] = S3_URL.exec(upload) ?? [];
    steps.push(uploadStep({ bucket, prefix: prefix.replace(/^\/+|\/+$/g, ''), endpoint: uploadEndpoint, region: uploadRegion }));
  }
  if (!uploadDelete) return steps;
  if (upload === undefined) throw new OptionError('uploadDelete', true, 'an --upload, after which files are deleted');
  // A step like the others, so that no file goes that was there before it was asked for.
  return [...steps, { name: 'delete', atOnce: 1, tries: 5, run: ({ file }) => rm(file, { force: true }) }];
}
