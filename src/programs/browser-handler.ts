/**
 * What a browser of our own is answered: all that it asks for goes through the core, and nothing that its pages send steers the archive.
 */
import { randomBytes } from 'node:crypto';
import type { Handler } from '../http/sides.ts';
import { createRoad, type OwnPages } from '../proxy/road.ts';
import { createSteering } from '../proxy/steering.ts';
import type { Core } from './core.ts';

/** There are none behind it. */
const NO_PAGES: OwnPages = {
  has: () => false,
  handler: (_, client) => client.refuse(new Error('there are no pages here')),
};

/** Pages may send any field; nobody is told the secret beside which Warcprox-Meta would count. */
export function browserHandler({ passage }: Core): Handler {
  return createRoad({ passage, pages: NO_PAGES, steering: createSteering(randomBytes(16).toString('hex')), via: false });
}
