/** Puts a proxy that only pretends in the place of the real one: `node --import tsx --import ./test/cli/fake/register.js src/cli/main.ts`. */
import { register } from 'node:module';

register('./hooks.js', import.meta.url);
