import { Envelope, type JSONRPCMessage, type RequestId } from '@mcp-connect/core';
import type { Answer } from './direction.js';

/** Members of a request's or notification's `params`. */
export interface Params {
  readonly _meta?: Readonly<Record<string, unknown>>;
  readonly [name: string]: unknown;
}

/** The parameters of a request or notification; without any, or with spoilt ones, an empty object. */
export function paramsOf({ parsed }: Envelope): Params {
  const params = (parsed as { params?: unknown } | undefined)?.params;
  return isObject(params) ? params : {};
}

/** Tells objects of JSON from all its other values. */
export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Makes the answer to a request, under the very id that it came with. */
export function answerTo(request: Envelope, body: Answer): Envelope {
  return underId(Envelope.of({ jsonrpc: '2.0', id: request.id, ...body } as JSONRPCMessage), request);
}

/** Makes the same request or notification with other parameters. */
export function withParams(envelope: Envelope, params: object): Envelope {
  return underId(Envelope.of({ ...envelope.message, params } as JSONRPCMessage), envelope);
}

/** Makes a request. */
export function requestOf(id: RequestId, method: string, params: object): Envelope {
  return Envelope.of({ jsonrpc: '2.0', id, method, params } as JSONRPCMessage);
}

/** Makes a notification. */
export function notificationOf(method: string, params?: object): Envelope {
  return Envelope.of({ jsonrpc: '2.0', method, ...(params && { params }) } as JSONRPCMessage);
}

/** Gives a message the id of the one that it was made from: beyond 2^53 an integer is not what it was once it is parsed. */
export function underId(changed: Envelope, original: Envelope): Envelope {
  return changed.key === original.key ? changed : changed.withId(original.idText);
}
