/**
 * Whether a request may go on: what its client said in Warcprox-Meta, and what follows from it.
 *
 * Nothing of a refused request reaches an origin or the archive.
 *
 *   Warcprox-Meta understood? ── no ──► 400      too many new buckets? ── 429      counts not to be had? ── 503
 *   limits reached? ── 420     soft limits reached? ── 430     blocked? ── 403
 *
 * Source: spec/warcprox.md §5 (order of enforcement).
 */
import type { Fields } from '../http/fields.ts';
import type { Archive } from '../capture/archive.ts';
import { bucketsOf } from '../meta/buckets.ts';
import type { MetaCache } from '../meta/cache.ts';
import { MetaError } from '../meta/errors.ts';
import { reachedLimit, type BucketStats } from '../meta/limits.ts';
import { NO_META, type Meta } from '../meta/meta.ts';
import { blockRefusal, limitRefusal, softLimitRefusal, type MetaRefusal } from '../meta/refusals.ts';
import { firstMatch, rawRule } from '../meta/rules.ts';
import { newBuckets } from './new-buckets.ts';
import type { StatisticsStore } from '../store/statistics.ts';
import type { TimeSlices } from '../util/slices.ts';
import type { Log } from '../util/log.ts';
import { plainAnswer, type Answer } from '../http/answer.ts';
import { codeOf, reasonOf } from '../util/thrown.ts';

export interface Verdict {
  readonly meta: Meta;
  /** the answer to a request that may not go on */
  readonly refusal: Answer | undefined;
}

export interface Gate {
  /**
   * At once where it can; the promise never rejects.
   *
   * @param gone asked for a signal only when judging could take long: aborted when the client has left
   */
  judge(fields: Fields, url: string, gone: () => AbortSignal): Verdict | Promise<Verdict>;
}

/** What limits are compared with, once everything which has been fetched is counted. */
export type Statistics = Pick<Archive, 'settled'> & Pick<StatisticsStore, 'get' | 'crowded'>;

export interface GateOptions {
  readonly cache: MetaCache;
  readonly slices: TimeSlices;
  /** undefined when statistics are switched off: no limit is reached then */
  readonly statistics: Statistics | undefined;
  readonly log: Log;
}

const FIELD = 'warcprox-meta';
const PASSED: Verdict = { meta: NO_META, refusal: undefined };

export function createGate({ cache, slices, statistics, log }: GateOptions): Gate {
  const warned = new WeakSet<Meta>();
  const buckets = newBuckets();

  const reached = (meta: Meta, own: readonly string[], lookup: (bucket: string) => BucketStats | undefined): MetaRefusal | undefined => {
    const limit = reachedLimit(meta.limits, own, lookup);
    if (limit !== undefined) return limitRefusal(limit);
    const soft = reachedLimit(meta.softLimits, own, lookup);
    return soft && softLimitRefusal(soft);
  };

  /** Waits for what has been fetched before to be counted, so that a limit is never seen too late. */
  const overLimit = async (meta: Meta, url: string, counted: Statistics): Promise<MetaRefusal | undefined> => {
    await counted.settled();
    const own = bucketsOf(meta, url);
    const limited = new Set([...meta.limits, ...meta.softLimits].flatMap(({ bucket, normalBucket }) => [bucket, normalBucket]));
    const counts = new Map<string, BucketStats | undefined>();
    for (const name of own) if (limited.has(name)) counts.set(name, await counted.get(name));
    return reached(meta, own, (bucket) => counts.get(bucket));
  };

  const blocked = (
    meta: Meta,
    url: string,
    referer: string | undefined,
    gone: () => AbortSignal,
  ): MetaRefusal | undefined | Promise<MetaRefusal | undefined> => {
    if (meta.blocks.length === 0) return undefined;
    const rule = firstMatch(meta.blocks, url, referer, slices, gone());
    return rule instanceof Promise ? rule.then((found) => found && blockRefusal(rawRule(found))) : rule && blockRefusal(rawRule(rule));
  };

  const enforce = (meta: Meta, url: string, referer: string | undefined, gone: () => AbortSignal): Verdict | Promise<Verdict> => {
    warn(meta);
    if (statistics !== undefined && meta.statsBuckets.length > 0) {
      const refusal = buckets.refuse(bucketsOf(meta, url), statistics.crowded);
      if (refusal !== undefined) return { meta, refusal };
    }
    if (statistics !== undefined && (meta.limits.length > 0 || meta.softLimits.length > 0)) {
      return overLimit(meta, url, statistics).then(async (refusal) => verdict(meta, refusal ?? (await blocked(meta, url, referer, gone))));
    }
    const refusal = blocked(meta, url, referer, gone);
    return refusal instanceof Promise ? refusal.then((late) => verdict(meta, late)) : verdict(meta, refusal);
  };

  /** Once for each value: crawlers send the same one with every request. */
  const warn = (meta: Meta): void => {
    if (meta.warnings.length === 0 || warned.has(meta)) return;
    warned.add(meta);
    for (const warning of meta.warnings) log.warn({}, `Warcprox-Meta: ${warning}`);
  };

  const failed = (error: unknown): Verdict => {
    if (error instanceof MetaError) return { meta: NO_META, refusal: plainAnswer(400, error.message) };
    if (error instanceof Error && error.name === 'AbortError') return PASSED;
    // It says so itself, once, and when it is back.
    if (codeOf(error)?.startsWith('STORE_') === true) {
      return { meta: NO_META, refusal: plainAnswer(503, `limits cannot be compared with what was counted: ${reasonOf(error)}`) };
    }
    log.error({ err: error }, 'Warcprox-Meta could not be followed');
    return { meta: NO_META, refusal: plainAnswer(500, `Warcprox-Meta could not be followed: ${reasonOf(error)}`) };
  };

  return {
    judge(fields, url, gone) {
      const values = fields.all(FIELD);
      const [value] = values;
      if (value === undefined) return PASSED;
      const referer = fields.get('referer');
      try {
        if (values.length > 1) throw new MetaError('syntax', '', 'expected one field of this name', values.length);
        const meta = cache.read(value);
        const judged = meta instanceof Promise ? meta.then((read) => enforce(read, url, referer, gone)) : enforce(meta, url, referer, gone);
        return judged instanceof Promise ? judged.catch(failed) : judged;
      } catch (error) {
        return failed(error);
      }
    },
  };
}

/** @returns what goes on with the request: not its rules, which may be large and have been followed */
function verdict(meta: Meta, refusal: MetaRefusal | undefined): Verdict {
  return {
    meta: meta.blocks.length === 0 ? meta : { ...meta, blocks: [] },
    refusal: refusal && { ...refusal, contentType: 'text/plain;charset=utf-8' },
  };
}
