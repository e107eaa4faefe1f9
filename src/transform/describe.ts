/** Which transformations there are, asked of a process of its own: modules of users do at their start whatever they like. */
import { ModuleError } from './errors.ts';
import type { ListAnswer, ListTask } from './list-process.ts';
import { runOwnProcess } from './own-process.ts';
import type { Descriptions } from './transformation.ts';

const LIST_TIMEOUT_MS = 60_000;

/** @throws ModuleError */
export async function describeTransformations(modules: readonly string[], cwd: string, env: NodeJS.ProcessEnv): Promise<Descriptions> {
  const task: ListTask = { modules, cwd };
  const outcome = await runOwnProcess<ListAnswer>({ script: 'list-process', task, cwd, env, signal: AbortSignal.timeout(LIST_TIMEOUT_MS) });
  if ('answer' in outcome && outcome.answer.descriptions !== undefined) return JSON.parse(outcome.answer.descriptions) as Descriptions;
  const why = 'died' in outcome ? `${outcome.died}; it was to load ${modules.join(', ')}` : (outcome.answer.failed ?? '');
  throw new ModuleError(why);
}
