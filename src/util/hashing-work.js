/**
 * The thread that hashes: many hashes at a time, each by its number. In JavaScript, because a thread of Node 20 has nobody who would read
 * TypeScript.
 */
import { createHash } from 'node:crypto';
import { parentPort, workerData } from 'node:worker_threads';

const hashes = new Map();

function hashOf(id) {
  let hash = hashes.get(id);
  if (hash === undefined) hashes.set(id, (hash = createHash(workerData)));
  return hash;
}

parentPort.on('message', ({ bytes, ranges, whole, dropped }) => {
  for (let at = 0; at < ranges.length; at += 3) hashOf(ranges[at]).update(bytes.subarray(ranges[at + 1], ranges[at + 2]));
  // What Node gives is a view of memory that it shares out.
  const digests = whole.map((id) => Uint8Array.from(hashOf(id).digest()));
  for (const id of whole) hashes.delete(id);
  for (const id of dropped) hashes.delete(id);
  parentPort.postMessage({ bytes, digests }, bytes === undefined ? [] : [bytes.buffer]);
});
parentPort.postMessage(undefined);
