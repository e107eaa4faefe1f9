/**
 * The time of day, for what is written down or shown, and for ages of files, whose dates are of the same clock.
 *
 * It is set by people and by NTP, so nothing is measured with it: that is what `performance.now()` is for.
 */

export function timeOfDay(): Date {
  return new Date();
}

/** In milliseconds since 1970. */
export function timeOfDayMs(): number {
  return Date.now();
}
