/** `npm run soak -- MINUTES`: a line a minute, a table, and a line for each fault; exit code 1 when there is one. */
import { soak } from './soak.ts';

const minutes = Number(process.argv[2] ?? 20);
if (!(minutes > 0)) {
  console.error('expected: npm run soak -- MINUTES');
  process.exit(1);
}
// So that the program ends with this one.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1));
const { faults } = await soak({ minutes, print: (line) => console.log(line) });
process.exitCode = faults.length > 0 ? 1 : 0;
