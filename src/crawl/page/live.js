/**
 * The status of jobs as it changes: one subscription for the page, whichever place is shown.
 *
 * Of each job what is known is kept, and how many items it had in the last minutes: of a few jobs, and a few bytes each.
 */
import { hexOf } from './values.js';
import { subscribe } from './wire.js';

/** Of a chart: bins of so many seconds. */
export const BIN_SECONDS = 2;
export const BINS = 150;
const MAX_RATED = 200;

/** by hexadecimal identifier */
const jobs = new Map();
const rates = new Map();
const listeners = new Set();
let stop = () => undefined;
/** All jobs that there were have come: further ones are new. */
let isBegun = false;

const binNow = () => Math.floor(performance.now() / 1000 / BIN_SECONDS);

export function startLive() {
  stop();
  const onEvent = ({ jobList }) => {
    const changed = new Map();
    for (const each of jobList.jobs ?? []) changed.set(hexOf(each.jobId), take(each));
    isBegun = true;
    for (const listener of [...listeners]) listener(changed);
  };
  const onBegin = () => {
    jobs.clear();
    isBegun = false;
  };
  stop = subscribe({ subscribeJobStatus: { minInterval: 1 } }, onEvent, { onBegin });
}

export function stopLive() {
  stop();
  jobs.clear();
  rates.clear();
  listeners.clear();
}

export const liveJob = (hex) => jobs.get(hex);

/** @param listener is given what has changed, by identifier. @returns a function that ends it */
export function onJobs(listener) {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/** Items a second, of bins, the newest last. */
export function rateOf(hex) {
  const counts = rates.get(hex);
  const last = binNow();
  return Array.from({ length: BINS }, (_, index) => (counts?.get(last - BINS + 1 + index) ?? 0) / BIN_SECONDS);
}

/** Of the last ten seconds. */
export function currentRate(hex) {
  // The newest bin is not full yet.
  const last = rateOf(hex).slice(-6, -1);
  return last.reduce((sum, each) => sum + each, 0) / last.length;
}

/** What is told of a job is what has changed of it. */
function take(change) {
  const hex = hexOf(change.jobId);
  const before = jobs.get(hex);
  if (change.runState === 'DELETED') {
    jobs.delete(hex);
    rates.delete(hex);
    return { ...before, ...change };
  }
  const httpStatusCounts = { ...before?.httpStatusCounts, ...change.httpStatusCounts };
  const now = { ...before, ...change, httpStatusCounts };
  jobs.set(hex, now);
  const counted = before === undefined ? (isBegun ? 0 : now.itemCount) : before.itemCount;
  if (now.itemCount > counted) count(hex, now.itemCount - counted);
  return now;
}

function count(hex, more) {
  const counts = rates.get(hex) ?? new Map();
  const bin = binNow();
  counts.set(bin, (counts.get(bin) ?? 0) + more);
  for (const old of counts.keys()) if (old < bin - BINS) counts.delete(old);
  // Those that change last stand last.
  rates.delete(hex);
  rates.set(hex, counts);
  if (rates.size > MAX_RATED) rates.delete(rates.keys().next().value);
}
