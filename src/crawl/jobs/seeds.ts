/** Seeds and names of jobs. */
import { Failure } from '../failure.ts';
import { MAX_URL_CHARS } from './found-links.ts';

/** The form that a job has a seed in. @throws Failure for what is no absolute URL of http or https */
export function readSeed(text: string): string {
  const seed = text.trim();
  const url = /^https?:\/\//i.test(seed) && URL.canParse(seed) ? new URL(seed) : undefined;
  if (url === undefined || url.href.length > MAX_URL_CHARS) throw new Failure(`Invalid seed URL: ${seed.slice(0, MAX_URL_CHARS)}`);
  return seed;
}

/** As it is asked for. */
export function seedUrl(seed: string): string {
  const url = new URL(seed);
  url.hash = '';
  return url.href;
}

/** Of a job that was given none. */
export function defaultName(seeds: readonly string[]): string {
  const [first = ''] = seeds;
  const { hostname } = new URL(first);
  return seeds.length === 1 ? hostname : `${hostname} & ${seeds.length - 1} more`;
}

/** Without white space around, and without blank ones. */
export function readTags(tags: readonly string[]): string[] {
  return tags.map((tag) => tag.trim()).filter((tag) => tag !== '');
}
