/**
 * Sizes and times as people write them: `512k`, `1.5G`, `10MB`, `500ms`, `5m`; a number alone is bytes, or seconds.
 *
 * Pure. k, M, G and T are powers of 1024, as KiB, MiB, GiB and TiB are; KB, MB, GB and TB powers of 1000. Upper and lower case are the same.
 * Source: GNU coreutils 9, "Block size".
 */

const BYTES: Readonly<Record<string, number>> = {
  b: 1,
  kb: 1e3,
  mb: 1e6,
  gb: 1e9,
  tb: 1e12,
  k: 1024,
  m: 1024 ** 2,
  g: 1024 ** 3,
  t: 1024 ** 4,
  kib: 1024,
  mib: 1024 ** 2,
  gib: 1024 ** 3,
  tib: 1024 ** 4,
};

const SECONDS: Readonly<Record<string, number>> = { ms: 0.001, s: 1, m: 60, h: 3600, d: 86_400 };

/** @returns whole bytes, a fraction rounded to the nearest; undefined for what is no size, and for a fraction of plain bytes */
export function readSize(text: string): number | undefined {
  if (/^[0-9]+$/.test(text)) return Number(text);
  const value = measured(text, BYTES);
  return value === undefined ? undefined : Math.round(value);
}

/** @returns seconds; undefined for what is no time */
export function readSeconds(text: string): number | undefined {
  return /^[0-9]+(\.[0-9]+)?$/.test(text) ? Number(text) : measured(text, SECONDS);
}

/** A short text that `readSize` takes for this many bytes. */
export function sizeText(bytes: number): string {
  return shortest(bytes, { k: 1024, M: 1024 ** 2, G: 1024 ** 3, T: 1024 ** 4, KB: 1e3, MB: 1e6, GB: 1e9, TB: 1e12 });
}

/** About so many bytes, for people: `87.5M`, in the units of `readSize`. */
export function roughSize(bytes: number): string {
  const [unit, factor] = (
    [
      ['T', 1024 ** 4],
      ['G', 1024 ** 3],
      ['M', 1024 ** 2],
      ['k', 1024],
    ] as const
  ).find(([, each]) => bytes >= each) ?? ['', 1];
  return `${Number((bytes / factor).toFixed(1))}${unit || ' bytes'}`;
}

/** A short text that `readSeconds` takes for this time. */
export function secondsText(seconds: number): string {
  return shortest(seconds, SECONDS);
}

function measured(text: string, units: Readonly<Record<string, number>>): number | undefined {
  const [, digits, unit = ''] = /^([0-9]+(?:\.[0-9]+)?) ?([a-z]+)$/i.exec(text) ?? [];
  const name = unit.toLowerCase();
  if (digits === undefined || !Object.hasOwn(units, name)) return undefined;
  const factor = units[name] ?? NaN;
  // 0.001 is no binary fraction: a division is exact where there is an exact answer.
  return factor < 1 ? Number(digits) / Math.round(1 / factor) : Number(digits) * factor;
}

/** In the largest unit of which it is a whole number, if that is not longer than the plain number. */
function shortest(value: number, units: Readonly<Record<string, number>>): string {
  const texts = Object.entries(units)
    .filter(([, factor]) => value > 0 && factor > 1 && value % factor === 0)
    .map(([unit, factor]) => `${value / factor}${unit}`);
  return texts.reduce((best, text) => (text.length <= best.length ? text : best), String(value));
}
