import {
  LOG_LEVEL_KEY,
  CAPABILITIES_KEY,
  CLIENT_INFO_KEY,
  INVALID_PARAMS,
  MISSING_CAPABILITY,
  MODERN,
  TASKS,
  UNSUPPORTED_VERSION,
  VERSION_KEY,
} from './modern.js';
import { isSeverity, type Envelope, type Severity } from '@mcp-connect/core';
import type { Answer } from './direction.js';
import { isObject, paramsOf } from './messages.js';
import { withChangedParams } from './skeleton.js';

type Members = Readonly<Record<string, unknown>>;

/** A request of a modern client, taken apart (2026-07-28 basic/index, _meta; patterns/mrtr). */
export interface ModernRequest {
  readonly envelope: Envelope;
  readonly method: string;
  /** What is asked for, without anything that only the modern era knows. */
  readonly params: Members;
  /** The `_meta` of the request, without its description of the client. */
  readonly meta: Members;
  readonly capabilities: Members;
  readonly clientInfo: Members;
  /** The least severe log messages that the client wants to see of this request; undefined for none. */
  readonly level: Severity | undefined;
  /** Answers to what an earlier round asked for, by key. */
  readonly inputResponses: Members;
  readonly requestState: unknown;
}

/** Keys that describe the client of a single request; a legacy session is told them once. */
const DESCRIPTION = new Set([VERSION_KEY, CLIENT_INFO_KEY, CAPABILITIES_KEY, LOG_LEVEL_KEY]);

/** Requests in the middle of which a client may be asked for something (2026-07-28 patterns/mrtr). */
const ROUNDS = new Set(['tools/call', 'prompts/get', 'resources/read']);

/** True where a request of this method may be answered with questions. */
export function mayAsk(method: string): boolean {
  return ROUNDS.has(method);
}

/** True where the client of a request takes tasks in the place of results, and looks after them itself (SEP-2663). */
export function takesTasks({ capabilities }: ModernRequest): boolean {
  return TASKS in membersOf(capabilities['extensions']);
}

/** Takes a request apart, or says what is wrong with how it describes itself. */
export function readRequest(envelope: Envelope): ModernRequest | Required<Pick<Answer, 'error'>> {
  const { _meta, ...rest } = paramsOf(envelope);
  const described = membersOf(_meta);
  const version = described[VERSION_KEY];
  if (typeof version !== 'string') return invalid(`_meta lacks ${VERSION_KEY}`);
  if (version !== MODERN) {
    const data = { supported: [MODERN], requested: version };
    return { error: { code: UNSUPPORTED_VERSION, message: 'Unsupported protocol version', data } };
  }
  const capabilities = described[CAPABILITIES_KEY];
  if (!isObject(capabilities)) return invalid(`_meta lacks ${CAPABILITIES_KEY}`);
  const level = described[LOG_LEVEL_KEY];
  if (level !== undefined && !isSeverity(level)) return invalid(`${LOG_LEVEL_KEY} names no log level`);
  const { inputResponses, requestState, ...asked } = rest;
  const method = envelope.method!;
  return {
    envelope,
    method,
    params: mayAsk(method) ? asked : rest,
    meta: withoutDescription(described),
    capabilities,
    clientInfo: membersOf(described[CLIENT_INFO_KEY]),
    level,
    inputResponses: membersOf(inputResponses),
    requestState,
  };
}

/** Refuses a request whose client has not said that it can do this (2026-07-28 basic/index, _meta). */
export function lacking(requiredCapabilities: Members): Answer {
  const data = { requiredCapabilities };
  return { error: { code: MISSING_CAPABILITY, message: 'Missing required client capability', data } };
}

/** Makes of a modern client's notification one for a legacy server, which was told once who the client is. */
export function undescribed(notification: Envelope): Envelope {
  const described = membersOf(paramsOf(notification)._meta);
  if (!Object.keys(described).some((key) => DESCRIPTION.has(key))) return notification;
  const _meta = withoutDescription(described);
  return withChangedParams(notification, (params) => {
    const { _meta: _described, ...rest } = params;
    return Object.keys(_meta).length > 0 ? { ...rest, _meta } : rest;
  });
}

function withoutDescription(meta: Members): Members {
  return Object.fromEntries(Object.entries(meta).filter(([key]) => !DESCRIPTION.has(key)));
}

/** The members of an object; none of anything else. */
export function membersOf(value: unknown): Members {
  return isObject(value) ? value : {};
}

function invalid(what: string): Required<Pick<Answer, 'error'>> {
  return { error: { code: INVALID_PARAMS, message: `Invalid params: ${what}` } };
}
