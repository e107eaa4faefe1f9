/**
 * From a request to its response: exactly one, whatever happens.
 */
import type { Log } from '../../util/log.ts';
import { reasonOf } from '../../util/thrown.ts';
import { Failure } from '../failure.ts';
import type { Request, ServerMessage } from '../proto/starbelly_pb.ts';
import type { Commands, Handler } from './command.ts';
import { failure, missingField, nameOf, success, type CommandName } from './envelope.ts';
import type { Subscriptions } from './subscriptions.ts';

export interface Answered {
  readonly message: ServerMessage;
  /** called once the response is on its way */
  readonly after?: () => void;
}

const FAULT = 'A server exception occurred';

export type Dispatch = (request: Request, subscriptions: Subscriptions) => Promise<Answered>;

/** The promise never rejects. */
export function dispatching(commands: Commands, log: Log): Dispatch {
  return async ({ requestId, Command: command }, subscriptions) => {
    if (command.case === undefined) return { message: failure(requestId, 'No command specified') };
    const name = nameOf(command.case);
    const handler = commands[command.case] as Handler<CommandName> | undefined;
    if (handler === undefined) return { message: failure(requestId, `Invalid command name: ${name}`) };
    const missing = missingField(command);
    if (missing !== undefined) return { message: failure(requestId, `Missing required field: ${missing}`) };
    try {
      const { body, after } = (await handler(command.value, subscriptions)) ?? {};
      return { message: success(requestId, body), ...(after === undefined ? {} : { after }) };
    } catch (error) {
      if (error instanceof Failure) return { message: failure(requestId, error.message) };
      log.error({ err: error, command: name }, `a command failed: ${reasonOf(error)}`);
      return { message: failure(requestId, FAULT) };
    }
  };
}
