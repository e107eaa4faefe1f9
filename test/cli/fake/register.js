/** Puts a proxy that only pretends in the place of the real one: `node --import tsx --import ./test/cli/fake/register.js src/cli/main.ts`. */
import module from 'node:module';
import { resolve } from './hooks.js';

// Node 26 warns of register(), and Node 20 has nothing else.
if (module.registerHooks === undefined) module.register('./hooks.js', import.meta.url);
else module.registerHooks({ resolve });
