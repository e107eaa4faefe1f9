/**
 * What a browser of our own is answered: all that it asks for goes through the core, and nothing that its pages send steers the archive.
 */
import { randomBytes } from 'node:crypto';
import type { Handler } from '../http/sides.ts';
import { route } from '../proxy/router.ts';
import { createSteering } from '../proxy/steering.ts';
import type { Core } from './core.ts';

/** Pages may send any field; nobody is told the secret beside which Warcprox-Meta would count. */
export function browserHandler({ passage }: Core): Handler {
  const steering = createSteering(randomBytes(16).toString('hex'));
  return (request, client) => {
    const refusal = steering.refuse(request.head);
    if (refusal !== undefined) return client.answer(refusal, true);
    passage(route(steering.heeded(request), false), client);
  };
}
