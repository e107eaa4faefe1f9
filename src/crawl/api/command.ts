/** What a command is: a message in, the body of a response out, and maybe something that begins once the response has left. */
import type { Body, CommandName, CommandOf } from './envelope.ts';
import type { Subscriptions } from './subscriptions.ts';

export interface Reply {
  readonly body?: Body;
  /** called when the response is on its way: what it sends comes after it */
  readonly after?: () => void;
}

/** @throws Failure with the text of the response */
export type Handler<Name extends CommandName> = (
  command: CommandOf<Name>,
  subscriptions: Subscriptions,
) => Reply | undefined | Promise<Reply | undefined>;

export type Commands = { readonly [Name in CommandName]?: Handler<Name> };
