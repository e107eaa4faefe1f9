/**
 * Spans of the calendar, in UTC: a month later is the same day of the next month, or its last one.
 */
import { ScheduleTimeUnit as Unit } from '../proto/starbelly_pb.ts';

const MINUTE_MS = 60_000;
const FIXED_MS: Partial<Record<Unit, number>> = {
  [Unit.MINUTES]: MINUTE_MS,
  [Unit.HOURS]: 60 * MINUTE_MS,
  [Unit.DAYS]: 24 * 60 * MINUTE_MS,
  [Unit.WEEKS]: 7 * 24 * 60 * MINUTE_MS,
};
/** The last time that a Date can tell. Source: ECMA-262 §21.4.1.1. */
const LAST_MS = 8_640_000_000_000_000;

/** @returns milliseconds since 1970, never later than a Date can tell */
export function later(fromMs: number, units: number, unit: Unit): number {
  const fixed = FIXED_MS[unit];
  const ms = fixed === undefined ? monthsLater(fromMs, unit === Unit.YEARS ? 12 * units : units) : fromMs + units * fixed;
  return Number.isNaN(ms) ? LAST_MS : Math.min(ms, LAST_MS);
}

function monthsLater(fromMs: number, months: number): number {
  const date = new Date(fromMs);
  const day = date.getUTCDate();
  date.setUTCDate(1);
  date.setUTCMonth(date.getUTCMonth() + months);
  date.setUTCDate(Math.min(day, daysIn(date)));
  return date.getTime();
}

function daysIn(date: Date): number {
  return new Date(Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + 1, 0)).getUTCDate();
}
