/** The URL that rules are matched against, in the forms that they ask for; each is made when the first rule needs it. */
import { MAX_URL_BYTES } from '../http/target.ts';
import { canonicalise, type CanonicalUrl } from '../url/canon.ts';
import { MetaError } from './errors.ts';
import { ssurt, surt } from '../url/surt.ts';

export interface RuleTarget {
  readonly url: CanonicalUrl;
  surt(): string;
  ssurt(): string;
  /** canonical, too */
  parentUrl(): string | undefined;
}

/** @param parentUrl URL of the page that the request came from, if known */
export function ruleTarget(url: string, parentUrl?: string): RuleTarget {
  const canonical = canonicalise(url);
  return {
    url: canonical,
    surt: lazily(() => surt(canonical)),
    ssurt: lazily(() => ssurt(canonical)),
    parentUrl: lazily(() => (parentUrl === undefined ? undefined : canonicalise(bounded(parentUrl)).href)),
  };
}

function lazily<T>(make: () => T): () => T {
  let made: { readonly value: T } | undefined;
  return () => (made ??= { value: make() }).value;
}

function bounded(parentUrl: string): string {
  if (parentUrl.length > MAX_URL_BYTES) {
    throw new MetaError('too-large', 'blocks', `rules for the parent URL expect a Referer of at most ${MAX_URL_BYTES} bytes`, parentUrl);
  }
  return parentUrl;
}
