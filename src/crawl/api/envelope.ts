/**
 * What goes back for a request, and what a request lacks.
 *
 * Source: the published schema; proto2, so that presence counts and unknown fields are kept.
 */
import { create, isFieldSet } from '@bufbuild/protobuf';
import { FeatureSet_FieldPresence } from '@bufbuild/protobuf/wkt';
import {
  EventSchema,
  RequestSchema,
  ResponseSchema,
  ServerMessageSchema,
  type Event,
  type Request,
  type Response,
  type ServerMessage,
} from '../proto/starbelly_pb.ts';

export type Command = Exclude<Request['Command'], { case: undefined }>;
export type CommandName = Command['case'];
export type CommandOf<Name extends CommandName> = Extract<Command, { case: Name }>['value'];
export type Body = Exclude<Response['Body'], { case: undefined }>;
export type EventBody = Exclude<Event['Body'], { case: undefined }>;

/** As the schema names it: `get_job`. */
export function nameOf(command: CommandName): string {
  return RequestSchema.field[command].name;
}

/** @returns the first required field that a command lacks: `get_job.job_id`. What messages in it lack is for who reads them */
export function missingField(command: Command): string | undefined {
  const { message } = RequestSchema.field[command.case];
  const missing = message?.fields.find(
    (field) => field.presence === FeatureSet_FieldPresence.LEGACY_REQUIRED && !isFieldSet(command.value, field),
  );
  return missing && `${nameOf(command.case)}.${missing.name}`;
}

export function success(requestId: number, body: Body | undefined): ServerMessage {
  return response(create(ResponseSchema, { requestId, isSuccess: true, ...(body === undefined ? {} : { Body: body }) }));
}

export function failure(requestId: number, errorMessage: string): ServerMessage {
  return response(create(ResponseSchema, { requestId, isSuccess: false, errorMessage }));
}

export function event(subscriptionId: number, body: EventBody): ServerMessage {
  const value = create(EventSchema, { subscriptionId, Body: body });
  return create(ServerMessageSchema, { MessageType: { case: 'event', value } });
}

function response(value: Response): ServerMessage {
  return create(ServerMessageSchema, { MessageType: { case: 'response', value } });
}
