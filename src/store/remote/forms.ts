/**
 * How what stores say to each other looks on the wire: short lists in place of objects, as most of it is said for every capture.
 */
import type { BucketCounts } from '../counts.ts';
import type { Original, Published, Standing } from '../dedup.ts';
import type { Lost } from '../place.ts';
import type { Found, PlaybackEntry, PlaybackPlace } from '../playback.ts';

export type OriginalForm = readonly [recordId: string, url: string, date: string, answer?: string];
/** 0: nothing; 1: won; 2: held */
export type StandingForm = 0 | 1 | 2 | OriginalForm;
export type PublishedForm = readonly [key: string, file: string, offset: number, ...original: OriginalForm];
export type CountsForm = readonly [bucket: string, ...counts: number[]];
export type EntryForm = Omit<PlaybackEntry, 'startedAt'> & { readonly startedAt: number };
export type FoundForm = Omit<Found, 'startedAt'> & { readonly startedAt: number };
export type LostForm = readonly [ends: readonly (readonly [string, number | null])[], unknown: readonly string[]];

export function formOfStanding(standing: Standing): StandingForm {
  if (standing === undefined) return 0;
  if (standing === 'won') return 1;
  return standing === 'held' ? 2 : formOfOriginal(standing);
}

export function standingIn(form: StandingForm): Standing {
  if (form === 0) return undefined;
  if (form === 1) return 'won';
  return form === 2 ? 'held' : originalIn(form);
}

function formOfOriginal({ recordId, url, date, answer }: Original): OriginalForm {
  return answer === undefined ? [recordId, url, date] : [recordId, url, date, answer];
}

function originalIn([recordId, url, date, answer]: OriginalForm): Original {
  return answer === undefined ? { recordId, url, date } : { recordId, url, date, answer };
}

export function formOfPublished({ key, original, place: { file, offset } }: Published): PublishedForm {
  return [key, file, offset, ...formOfOriginal(original)];
}

export function publishedIn([key, file, offset, ...original]: PublishedForm): Published {
  return { key, original: originalIn(original), place: { file, offset } };
}

export function formOfCounts(bucket: string, { total, new: fresh, revisit }: BucketCounts): CountsForm {
  return [bucket, ...[total, fresh, revisit].flatMap(({ urls, wire_bytes: bytes }) => [urls, bytes])];
}

export function countsIn([bucket, ...numbers]: CountsForm): readonly [bucket: string, counts: BucketCounts] {
  const part = (nth: number) => ({ urls: numbers[nth] ?? 0, wire_bytes: numbers[nth + 1] ?? 0 });
  return [bucket, { total: part(0), new: part(2), revisit: part(4) }];
}

/** JSON has no infinity. */
export function formOfLost({ ends, unknown }: Lost): LostForm {
  return [[...ends].map(([file, end]) => [file, end === Infinity ? null : end]), [...unknown]];
}

export function lostIn([ends, unknown]: LostForm): Lost {
  return { ends: new Map(ends.map(([file, end]) => [file, end ?? Infinity])), unknown: new Set(unknown) };
}

export function formOfEntry(entry: PlaybackEntry): EntryForm {
  return { ...entry, startedAt: entry.startedAt.getTime() };
}

/** What JSON leaves out was undefined. */
export function entryIn(form: EntryForm): PlaybackEntry {
  return { ...form, method: form.method, payloadSize: form.payloadSize, startedAt: new Date(form.startedAt) };
}

export function formOfFound(found: Found): FoundForm {
  return { ...found, startedAt: found.startedAt.getTime() };
}

export function foundIn(form: FoundForm): Found {
  return { ...placeIn(form), startedAt: new Date(form.startedAt) };
}

export function placeIn({ file, offset, length, recordId, type, payloadDigest, payloadSize }: PlaybackPlace): PlaybackPlace {
  return { file, offset, length, recordId, type, payloadDigest, payloadSize };
}
