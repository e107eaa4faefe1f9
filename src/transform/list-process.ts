/** Entry point of the process that only says which transformations there are. Started by describe.ts. */
import { reasonOf } from '../util/thrown.ts';
import { loadTransformations } from './modules.ts';
import { descriptionOf } from './transformation.ts';
import { answerOnce } from './with-parent.ts';

export interface ListTask {
  readonly modules: readonly string[];
  readonly cwd: string;
}

/** JSON of the descriptions, as an object by name; or why there are none. */
export interface ListAnswer {
  readonly descriptions?: string;
  readonly failed?: string;
}

answerOnce(async ({ modules, cwd }: ListTask): Promise<ListAnswer> => {
  try {
    const known = await loadTransformations(modules, cwd);
    return { descriptions: JSON.stringify(Object.fromEntries([...known].map(([name, each]) => [name, descriptionOf(name, each)]))) };
  } catch (error) {
    return { failed: reasonOf(error) };
  }
});
