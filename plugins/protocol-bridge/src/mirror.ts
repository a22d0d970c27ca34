import type { Envelope, Log } from '@mcp-connect/core';
import type { Answer } from './direction.js';
import { isObject, paramsOf, type Params } from './messages.js';
import { declarationsIn, type Declaration } from './param-headers.js';

/** Pages of a list that are read at most, so that no server can keep us busy for ever. */
const MOST_PAGES = 100;

/**
 * Does what 2026-07-28 asks of whoever speaks HTTP to a server, on behalf of a client that need not know of headers:
 * annotated arguments of tool calls are mirrored in `Mcp-Param-*`, and tools with an invalid annotation are taken off
 * the list (streamable-http, Custom Headers from Tool Parameters).
 */
export class Mirror {
  readonly #log: Log;
  /** What each tool wants mirrored, by its name, as last listed. */
  readonly #declared = new Map<string, readonly Declaration[]>();

  constructor(log: Log) {
    this.#log = log;
  }

  /** Learns from a page of `tools/list`, and returns it without the tools that may not be used. */
  learn(result: Readonly<Record<string, unknown>>, params: Params): Readonly<Record<string, unknown>> {
    if (!Array.isArray(result['tools'])) return result;
    if (params['cursor'] === undefined) this.#declared.clear();
    const tools = result['tools'] as unknown[];
    const valid = tools.filter((tool) => this.#take(tool));
    return valid.length === tools.length ? result : { ...result, tools: valid };
  }

  /** The header fields that a request needs, by lower-case name; undefined where nothing is mirrored. */
  headersOf(envelope: Envelope): Readonly<Record<string, string>> | undefined {
    if (envelope.method !== 'tools/call' || this.#declared.size === 0) return undefined;
    const { name, arguments: given } = paramsOf(envelope);
    const declared = this.#declared.get(String(name));
    if (declared === undefined) return undefined;
    const fields = declared.flatMap(({ header, path }) => {
      const text = textOf(valueAt(given, path));
      return text === undefined ? [] : [[`mcp-param-${header.toLowerCase()}`, text] as const];
    });
    return Object.fromEntries(fields);
  }

  /**
   * Reads the whole list anew, after a server has found a call's headers wrong.
   *
   * @param ask sends one `tools/list` with these parameters
   */
  async refresh(ask: (params: Params) => Promise<Answer>): Promise<void> {
    let params: Params = {};
    for (let page = 0; page < MOST_PAGES; page++) {
      const { result } = await ask(params);
      if (result === undefined) return;
      this.learn(result, params);
      const { nextCursor } = result;
      if (typeof nextCursor !== 'string') return;
      params = { cursor: nextCursor };
    }
  }

  #take(tool: unknown): boolean {
    if (!isObject(tool)) return true;
    const found = declarationsIn(tool['inputSchema']);
    if (typeof found === 'string') {
      this.#log.warn?.('the tool %s is left out: %s', tool['name'], found);
      return false;
    }
    if (found.length > 0) this.#declared.set(String(tool['name']), found);
    return true;
  }
}

function valueAt(given: unknown, path: readonly string[]): unknown {
  return path.reduce<unknown>((value, name) => (isObject(value) ? value[name] : undefined), given);
}

/** A value as it stands in a header; what is absent or cannot be written exactly has none. */
function textOf(value: unknown): string | undefined {
  if (typeof value === 'string') return value;
  if (typeof value === 'boolean') return String(value);
  if (typeof value !== 'number' || (Number.isInteger(value) && !Number.isSafeInteger(value)))
    return undefined;
  return String(value);
}
