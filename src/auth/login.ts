/**
 * Log-in in front of a handler: asked once for each request, but for those inside of a tunnel, whose CONNECT was asked.
 */
import { plainAnswer } from '../http/answer.ts';
import type { ClientRequest, ClientSide, Handler } from '../http/sides.ts';
import { skippedBody, worthSkipping } from '../http/skipped-body.ts';
import type { Log } from '../util/log.ts';
import { Repeats } from '../util/repeats.ts';
import type { Authenticator, Denial } from './authenticator.ts';

/**
 * @param authenticator undefined: everybody is let in
 * @param open paths of own pages that everybody may see
 */
export function withLogin(authenticator: Authenticator | undefined, handler: Handler, log: Log, open: readonly string[] = []): Handler {
  if (authenticator === undefined) return handler;
  const denials = new Repeats();

  /** The connection stays, where it can, for the client to try again with credentials. */
  const deny = ({ hasBody, expectsContinue, framing }: ClientRequest, client: ClientSide, { status, line, fields }: Denial) => {
    const { address } = client;
    denials.add(`${status} ${address}`, (more) => {
      log.info({ status, client: address }, more === 0 ? 'client not let in' : `client not let in ${more} times more`);
    });
    const answer = { ...plainAnswer(status, line), fields };
    if (hasBody && (expectsContinue || !worthSkipping(framing))) client.answer(answer);
    else client.serve(skippedBody(() => client.answer(answer)));
  };

  return (request, client) => {
    const { method, target } = request.head;
    if (request.tunnel !== undefined || (method === 'GET' && open.includes(target))) return handler(request, client);
    const denial = authenticator.check(request.head);
    if (!(denial instanceof Promise)) return denial === undefined ? handler(request, client) : deny(request, client, denial);
    denial
      .then((late) => {
        if (client.gone) return;
        if (late === undefined) handler(request, client);
        else deny(request, client, late);
      })
      .catch((error: unknown) => client.refuse(error));
  };
}
