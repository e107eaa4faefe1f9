/**
 * What the primary process and its workers say to each other beside what their stores say, and how it looks on the wire.
 */
import type { AddressInfo } from 'node:net';
import type { ResolvedOptions } from '../../options/table.ts';
import { OptionError } from '../../options/error.ts';
import { codeOf, reasonOf } from '../../util/thrown.ts';
import { WireError } from '../../util/wire.ts';
import type { Named } from '../../web/captures/jobs.ts';
import type { Looked } from '../../web/looked.ts';
import type { Counted } from '../../web/metrics/capture-counts.ts';
import type { Rate, StatusSource } from '../../web/status.ts';
import type { Figures } from '../figures.ts';

/** The files that a worker has the wire open as: what it says, and what it is told. */
export const SAYS_FD = 4;
export const TOLD_FD = 5;

/** Where clients come in. */
export type Door = 'proxy' | 'playback';

/** What a worker is started with. */
export interface Task {
  readonly number: number;
  readonly of: number;
  readonly logLevel: string;
  /** its share of them */
  readonly options: ResolvedOptions;
  /** where the primary process listens */
  readonly doors: { readonly proxy: AddressInfo; readonly playback?: AddressInfo | undefined };
  /** which stores there are */
  readonly stores: { readonly dedup: boolean; readonly stats: boolean; readonly playback: boolean };
}

/** What a worker says once it listens. */
export interface Started {
  readonly url: string;
  readonly address: string;
  readonly port: number;
  readonly playbackUrl?: string | undefined;
  readonly caFile: string;
}

/** Why not, or what an option should have been. */
export interface Refused {
  readonly code: string;
  readonly message: string;
  readonly option?: { readonly name: string; readonly value: unknown; readonly expected: string };
}

/** `refused` where there is no result. */
export interface Outcome<Result> {
  readonly done?: Result;
  readonly refused?: Refused;
}

/** A promise as it goes over the wire: options that will not do are told by their names. */
export async function outcomeOf<Result>(job: () => Promise<Result>): Promise<Outcome<Result>> {
  try {
    return { done: await job() };
  } catch (error) {
    const option =
      error instanceof OptionError ? { option: { name: error.option, value: error.value ?? null, expected: error.expected } } : {};
    return { refused: { code: codeOf(error) ?? 'FAILED', message: reasonOf(error), ...option } };
  }
}

/** @throws what it was refused for */
export function resultOf<Result>(outcome: Outcome<Result>): Result {
  if (outcome.refused === undefined) return outcome.done as Result;
  const { code, message, option } = outcome.refused;
  throw option === undefined ? new WireError(code, message) : new OptionError(option.name, option.value, option.expected);
}

const MINUTES = [1, 5, 15] as const;

/** `StatusSource` without its functions; times as numbers. */
export interface StatusForm extends Omit<StatusSource, 'rate' | 'startedAt' | 'earliestFetch'> {
  readonly rates: readonly Rate[];
  readonly earliestFetch?: { readonly startedAt: number; readonly clientAddress?: readonly [host: string, port: number] } | undefined;
}

export function formOfStatus({ rate, earliestFetch, ...source }: StatusSource): StatusForm {
  const { startedAt: _startedAt, ...plain } = source;
  const earliest = earliestFetch && {
    startedAt: earliestFetch.startedAt.getTime(),
    ...(earliestFetch.clientAddress && { clientAddress: earliestFetch.clientAddress }),
  };
  return { ...plain, rates: MINUTES.map((minutes) => rate(minutes)), earliestFetch: earliest };
}

/** `Looked` as it goes over the wire. */
export interface LookForm extends Omit<Looked, 'status'> {
  readonly status: StatusForm;
}

/** What a worker has done since it said so last. */
export interface Done {
  readonly figures: Figures;
  readonly counted: Counted;
  readonly named: Named;
}

export function rateIn(rates: readonly Rate[], minutes: number): Rate {
  return rates[MINUTES.findIndex((each) => each === minutes)] ?? { actual_elapsed: 0, urls_per_sec: 0, warc_bytes_per_sec: 0 };
}
