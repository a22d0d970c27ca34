import { ConnectorError } from '@mcp-connect/core';
import { closest, nearestFirst } from '../command-line/suggest.js';
import type { Conversation } from './conversation.js';
import { isRefusal, type Failure } from './failure.js';
import { toolsOf } from './inventory.js';

/** A tool to call, with its arguments. */
export interface ToolCall {
  readonly tool: string;
  readonly args: Readonly<Record<string, unknown>>;
}

/** What may mend a call that failed. */
export interface CallAdvice {
  readonly hint: string;
  /** Flags to type next. */
  readonly flags: readonly string[];
}

/** So many tools are named where a name was mistyped. */
const MOST_NAMED = 12;

/** Names that a shell takes as they are (2025-11-25 server/tools, Tool Names), and JSON that it does in single quotes. */
const PLAIN_NAME = /^[\w./-]+$/;
const PLAIN_JSON = /^[^'\p{Cc}]+$/u;

/** What stands for a value that is yet to be written, by its type in JSON Schema. */
const BLANKS: Readonly<Record<string, unknown>> = {
  number: 0,
  integer: 0,
  boolean: true,
  array: [],
  object: {},
};

/**
 * Calls a tool.
 *
 * @throws ConnectorError `MCPC_BAD_RESPONSE` when the tool itself reports an error
 */
export async function called(
  conversation: Conversation,
  { tool, args }: ToolCall,
): Promise<Record<string, unknown>> {
  const result = await conversation.request('tools/call', { name: tool, arguments: args });
  if (result['isError'] !== true) return result;
  throw new ConnectorError('MCPC_BAD_RESPONSE', `The tool reported an error: ${wordsOfResult(result)}`);
}

/** The texts of a tool's result, and the kinds of what is no text. */
export function wordsOfResult({ content }: Readonly<Record<string, unknown>>): string {
  const parts = (Array.isArray(content) ? content : []) as { type?: string; text?: string }[];
  return parts.map(({ type, text }) => text ?? `[${type}]`).join(' ') || 'an empty result';
}

/**
 * Looks for what may mend a call that the server or the tool did not like: another name, or other arguments. Undefined
 * where it failed on its way, or where the server tells nothing of its tools.
 */
export async function adviceOn(
  { tool }: ToolCall,
  failure: Failure,
  conversation: Conversation,
): Promise<CallAdvice | undefined> {
  if (!isRefusal(failure) && failure.code !== 'MCPC_BAD_RESPONSE') return undefined;
  const tools = await toolsOf(conversation).catch(() => []);
  const found = tools.find(({ name }) => name === tool);
  if (found !== undefined) return otherArguments(tool, skeletonOf(found['inputSchema']));
  const names = nearestFirst(
    tool,
    tools.map(({ name }) => String(name)),
  );
  if (names.length === 0) return undefined;
  const left = names.length - MOST_NAMED;
  const named = names.slice(0, MOST_NAMED).join(', ') + (left > 0 ? ` and ${left} more` : '');
  const near = closest(tool, names);
  const schema = tools.find(({ name }) => name === near)?.['inputSchema'];
  return {
    hint: `There is no tool ${tool}: give one of these with --call: ${named}`,
    flags: near === undefined ? ['--call TOOL'] : flagsOf(near, skeletonOf(schema)),
  };
}

function otherArguments(tool: string, skeleton: Readonly<Record<string, unknown>>): CallAdvice {
  const json = JSON.stringify(skeleton);
  // Where none are needed it is the tool that failed, and not what it was given.
  if (json === '{}')
    return { hint: `${tool} can do without arguments: look into the log of the server`, flags: ['--debug'] };
  return {
    hint: `${tool} needs arguments such as ${json}: mend --args, or look into the log of the server`,
    flags: flagsOf(tool, skeleton),
  };
}

function flagsOf(tool: string, skeleton: Readonly<Record<string, unknown>>): string[] {
  const json = JSON.stringify(skeleton);
  if (!PLAIN_NAME.test(tool) || !PLAIN_JSON.test(json)) return ['--call TOOL'];
  return [`--call ${tool}`, ...(json === '{}' ? [] : [`--args '${json}'`])];
}

/** The arguments without which a tool cannot be called, each with a value of its type. */
function skeletonOf(schema: unknown): Readonly<Record<string, unknown>> {
  const { required, properties } = (schema ?? {}) as { required?: unknown; properties?: unknown };
  const types = (properties ?? {}) as Readonly<Record<string, { readonly type?: unknown } | undefined>>;
  const names = Array.isArray(required) ? required.map(String) : [];
  return Object.fromEntries(names.map((name) => [name, BLANKS[String(types[name]?.type)] ?? '…']));
}
