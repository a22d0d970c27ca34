import type { JSONRPCMessage } from '@modelcontextprotocol/sdk/types.js';
import { Envelope } from './envelope.js';
import { reasonOf } from './errors.js';
import type { Introduction } from './leg-session.js';
import type { Leg } from './leg.js';
import type { Log } from './log.js';
import { VERSION_KEY } from './modern.js';

/** What becomes of an endpoint that differs from the one that the client was introduced to. */
export type EquivalenceMode = 'strict' | 'warn' | 'off';

/** A list of tools that has more pages than this is compared no further. */
const MOST_PAGES = 100;

interface Tool {
  readonly name?: unknown;
  readonly inputSchema?: unknown;
  readonly outputSchema?: unknown;
  readonly annotations?: unknown;
}

/** What a client relies on once it has been introduced to a server. */
interface Face {
  readonly protocolVersion: unknown;
  readonly capabilities: Readonly<Record<string, unknown>>;
  /** What each tool takes and gives, by name; undefined where the server could not be asked. */
  readonly tools: ReadonlyMap<string, string> | undefined;
}

/**
 * Compares servers that are to stand in for each other. A client that was introduced to one of them counts on its
 * protocol version, capabilities and tools; where another one differs in these, calls would fail now and then.
 */
export class Equivalence {
  readonly #mode: EquivalenceMode;
  readonly #log: Log;
  #model: Promise<Face> | undefined;

  constructor(mode: EquivalenceMode, log: Log) {
    this.#mode = mode;
    this.#log = log;
  }

  /** Takes the server of this leg as the one that the client knows. */
  model(leg: Leg): void {
    if (this.#mode === 'off') return;
    this.#model = faceOf(leg);
    // Whoever compares hears of a failure.
    this.#model.catch(() => undefined);
  }

  /** Sets a leg apart until it has been compared. */
  expect(leg: Leg): void {
    leg.unproven = this.#mode === 'strict';
  }

  /** Compares a leg with the model, and sets apart one that differs. Never throws: what cannot be asked is no difference. */
  async judge(leg: Leg): Promise<void> {
    try {
      if (this.#model === undefined) return;
      const [model, face] = await Promise.all([this.#model, faceOf(leg)]);
      const difference = differenceBetween(model, face);
      if (difference !== undefined && difference !== leg.difference) {
        this.#log.warn?.('%s differs: %s', leg.endpoint.label, difference);
      }
      leg.difference = difference;
    } catch (error) {
      this.#log.debug?.('%s was not compared: %s', leg.endpoint.label, reasonOf(error));
    } finally {
      leg.unproven = false;
      leg.quarantined = this.#mode === 'strict' ? leg.difference : undefined;
    }
  }
}

async function faceOf(leg: Leg): Promise<Face> {
  const { memory, introduction } = leg;
  const { protocolVersion, capabilities = {} } = memory.started
    ? (introduction ?? {})
    : await discovered(leg);
  const offersTools = capabilities['tools'] !== undefined;
  return { protocolVersion, capabilities, tools: offersTools ? await toolsOf(leg) : new Map() };
}

/**
 * Asks a server of 2026-07-28 what it is, as far as it concerns a client that speaks one version (server/discover).
 *
 * @throws Error where it does not say so
 */
async function discovered(leg: Leg): Promise<Introduction> {
  const { result, error } = await ask(leg, 'server/discover');
  const versions = result?.supportedVersions ?? error?.data?.supported;
  if (!Array.isArray(versions)) throw new Error('it does not say what it speaks');
  const spoken = leg.memory.stamp?.[VERSION_KEY];
  const protocolVersion = versions.includes(spoken) ? spoken : versions.join(', ');
  return { protocolVersion, ...(result?.capabilities && { capabilities: result.capabilities }) };
}

interface Said {
  readonly result?: {
    readonly supportedVersions?: unknown;
    readonly capabilities?: Introduction['capabilities'];
    readonly tools?: unknown;
    readonly nextCursor?: unknown;
  };
  readonly error?: { readonly data?: { readonly supported?: unknown } };
}

/** Sends a request of ours in the era of the client. */
async function ask(leg: Leg, method: string, more: object = {}): Promise<Said> {
  const { stamp, started } = leg.memory;
  const params = stamp === undefined || started ? more : { ...more, _meta: stamp };
  const answer = await leg.ask(Envelope.of({ jsonrpc: '2.0', id: 0, method, params } as JSONRPCMessage));
  return answer.message as Said;
}

async function toolsOf(leg: Leg): Promise<Face['tools']> {
  const tools = new Map<string, string>();
  let cursor: unknown;
  for (let page = 0; page < MOST_PAGES; page++) {
    const { result } = await ask(leg, 'tools/list', cursor === undefined ? {} : { cursor });
    if (!Array.isArray(result?.tools)) return undefined;
    for (const { name, inputSchema, outputSchema, annotations } of result.tools as readonly Tool[]) {
      tools.set(String(name), canonical({ inputSchema, outputSchema, annotations }));
    }
    cursor = result.nextCursor;
    if (typeof cursor !== 'string') break;
  }
  return tools;
}

/** Names the first difference in a few words. */
function differenceBetween(model: Face, face: Face): string | undefined {
  if (face.protocolVersion !== model.protocolVersion) {
    return `it speaks ${String(face.protocolVersion)}, not ${String(model.protocolVersion)}`;
  }
  const names = new Set([...Object.keys(model.capabilities), ...Object.keys(face.capabilities)]);
  for (const name of names) {
    if (canonical(model.capabilities[name]) !== canonical(face.capabilities[name]))
      return `the capability ${name}`;
  }
  if (model.tools === undefined || face.tools === undefined) return undefined;
  for (const [name, tool] of model.tools) {
    if (!face.tools.has(name)) return `the tool ${name} is missing`;
    if (face.tools.get(name) !== tool) return `the tool ${name}`;
  }
  const extra = [...face.tools.keys()].find((name) => !model.tools!.has(name));
  return extra === undefined ? undefined : `the tool ${extra} is one more`;
}

/** Writes a JSON value so that equal values have equal texts, whatever the order of their members. */
function canonical(value: unknown): string {
  return (
    JSON.stringify(value, (_key, part: unknown) =>
      typeof part === 'object' && part !== null && !Array.isArray(part)
        ? Object.fromEntries(Object.entries(part).sort(([a], [b]) => (a < b ? -1 : 1)))
        : part,
    ) ?? ''
  );
}
