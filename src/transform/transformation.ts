/**
 * What a transformation is, and the one that is built in.
 *
 * Source: spec/circe.md §6.
 */
import type { Logger } from './out-log.ts';

/** Changes the files of a folder; may be a class as well, which is constructed with the three. */
export type Transformation = ((workingDir: string, logger: Logger, options: Record<string, unknown>) => unknown) & {
  readonly description?: unknown;
};

/** For clients that show transformations to people. */
export interface Description {
  readonly label: string;
  readonly help: string;
  readonly options: readonly OptionDescription[];
}

export interface OptionDescription {
  readonly id: string;
  readonly label: string;
  /** from what is sent to what is shown */
  readonly values: Readonly<Record<string, string>>;
  readonly default?: string;
  /** a text, with the values as suggestions; otherwise a choice */
  readonly free_input?: boolean;
}

export type Descriptions = Readonly<Record<string, unknown>>;

const donothing: Transformation = Object.assign(() => undefined, {
  description: { label: 'Do nothing', help: 'Changes nothing: to try out the service.', options: [] } satisfies Description,
});

export const BUILT_IN: ReadonlyMap<string, Transformation> = new Map([['donothing', donothing]]);

/** Its own, else one that says its name. */
export function descriptionOf(name: string, { description }: Transformation): unknown {
  return description ?? { label: name, help: name, options: [] };
}
