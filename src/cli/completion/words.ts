/**
 * What the completion scripts of all shells share: which options take a value, and what of.
 */
import type { Suggestion } from '../../options/kinds.ts';
import type { OutlinedCommand, OutlinedOption } from '../outline.ts';

/** A script that a shell reads once; it asks the program nothing. */
export type CompletionScript = (outline: readonly OutlinedCommand[]) => string;

/** `-d` and `--dir`. */
export function flagsOf({ long, short }: OutlinedOption): string[] {
  return short === undefined ? [`--${long}`] : [`-${short}`, `--${long}`];
}

/** Of all commands: what stands behind such a flag is no command. An option of one name takes the same everywhere. */
export function flagsWithValue(outline: readonly OutlinedCommand[]): readonly { flags: string[]; suggest: Suggestion | undefined }[] {
  const byName = new Map(outline.flatMap(({ options }) => options.map((option) => [option.long, option])));
  const valued = [...byName.values()].filter(({ argument }) => argument !== undefined);
  const kinds = new Map<string, { flags: string[]; suggest: Suggestion | undefined }>();
  for (const option of valued) {
    const key = JSON.stringify(option.suggest);
    const { flags = [] } = kinds.get(key) ?? {};
    kinds.set(key, { flags: [...flags, ...flagsOf(option)], suggest: option.suggest });
  }
  return [...kinds.values()];
}

export function shown(options: readonly OutlinedOption[]): readonly OutlinedOption[] {
  return options.filter(({ hidden }) => !hidden);
}

/** The text of a script. */
export function lines(...parts: readonly string[]): string {
  return `${parts.join('\n')}\n`;
}
