/**
 * The two forms that messages have on a WebSocket: the binary one of the published server, and JSON for browsers that ask for it by the
 * subprotocol `starbelly.json`.
 *
 * Source: RFC 6455 §1.9 (subprotocols); ProtoJSON (names in camelCase, bytes as Base64, 64-bit numbers as text, enums by name).
 */
import { fromBinary, fromJsonString, isFieldSet, toBinary, toJsonString } from '@bufbuild/protobuf';
import { reasonOf } from '../../util/thrown.ts';
import { RequestSchema, ServerMessageSchema, type Request, type ServerMessage } from '../proto/starbelly_pb.ts';

/** A request that can be answered, and not be understood. */
export interface Unread {
  readonly requestId: number;
  readonly unread: string;
}

export interface WireForm {
  readonly isBinary: boolean;
  /** @returns undefined for what is no request, or has no identifier that could be answered */
  read(bytes: Buffer): Request | Unread | undefined;
  write(message: ServerMessage): Uint8Array | string;
}

/** The subprotocol of JSON. */
export const JSON_PROTOCOL = 'starbelly.json';

export const BINARY: WireForm = {
  isBinary: true,
  read(bytes) {
    try {
      return identified(fromBinary(RequestSchema, bytes));
    } catch {
      return undefined;
    }
  },
  write: (message) => toBinary(ServerMessageSchema, message),
};

export const JSON_FORM: WireForm = {
  isBinary: false,
  read(bytes) {
    const text = bytes.toString();
    try {
      return identified(fromJsonString(RequestSchema, text));
    } catch (error) {
      // A number that a field cannot have is somebody's slip, and costs nobody the connection.
      const requestId = requestIdIn(text);
      return requestId === undefined ? undefined : { requestId, unread: reasonOf(error) };
    }
  },
  write: (message) => toJsonString(ServerMessageSchema, message),
};

function identified(request: Request): Request | undefined {
  return isFieldSet(request, RequestSchema.field.requestId) ? request : undefined;
}

function requestIdIn(text: string): number | undefined {
  try {
    const { requestId } = JSON.parse(text) as { readonly requestId?: unknown };
    return typeof requestId === 'number' && (requestId | 0) === requestId ? requestId : undefined;
  } catch {
    return undefined;
  }
}
