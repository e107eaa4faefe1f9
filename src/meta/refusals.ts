/**
 * The answers of the proxy to requests that Warcprox-Meta does not allow, word for word.
 *
 * Source: spec/warcprox.md §5 ("Limit reached", "Blocked").
 */
import { compactJson, spacedJson, type JsonObject } from './json.ts';
import type { ReachedLimit } from './limits.ts';

export interface MetaRefusal {
  readonly status: number;
  readonly reason: string;
  /** text/plain, to be sent as UTF-8 */
  readonly body: string;
  /** besides those that every refusal has */
  readonly fields: readonly (readonly [name: string, value: string])[];
}

export function limitRefusal(reached: ReachedLimit): MetaRefusal {
  return refuseLimit(420, 'limit', 'reached-limit', reached);
}

export function softLimitRefusal(reached: ReachedLimit): MetaRefusal {
  return refuseLimit(430, 'soft limit', 'reached-soft-limit', reached);
}

/** @param raw the rule as the client wrote it */
export function blockRefusal(raw: JsonObject): MetaRefusal {
  const body = `request rejected by warcprox: blocked by rule found in Warcprox-Meta header: ${spacedJson(raw)}\n`;
  return { status: 403, reason: 'Forbidden', body, fields: [metaField({ 'blocked-by-rule': raw })] };
}

function refuseLimit(status: number, kind: string, field: string, { key, value, bucket, stats }: ReachedLimit): MetaRefusal {
  return {
    status,
    reason: `Reached ${kind}`,
    body: `request rejected by warcprox: reached ${kind} ${key}=${value}\n`,
    fields: [metaField({ stats: { [bucket]: stats }, [field]: { [key]: value } })],
  };
}

function metaField(value: object): readonly [string, string] {
  return ['Warcprox-Meta', compactJson(value)];
}
