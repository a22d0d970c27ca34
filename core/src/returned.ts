import { reasonOf, ConnectorError } from './errors.js';
import type { Candidate, Hooks, OpenTransport } from './contract.js';
import { GuardedTransport } from './guarded.js';
import type { Credentials } from './transport.js';

/** What a tap did, as far as it can be judged. */
export interface TapReturn {
  /** The plugin's name. */
  readonly plugin: string;
  readonly value: unknown;
  /** The first argument that the tap was called with. */
  readonly first: unknown;
}

/** A name of a header field (RFC 9110 section 5.1), and a value that can go out as it is (section 5.5). */
const FIELD_NAME = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;
const FIELD_VALUE = /^[\t\x20-\x7e\x80-\xff]*$/;

/**
 * Judges what a tap of each hook handed back, and returns what is passed on. What is none of what the hook asks for
 * would otherwise do harm far away from the plugin that is at fault.
 */
const JUDGES: Readonly<Record<keyof Hooks, (returned: TapReturn) => unknown>> = {
  beforeSend: sameKind,
  afterReceive: sameKind,
  selectTransport: oneOfThem,
  authenticate: credentials,
  openTransport: opener,
};

/**
 * Checks what a tap handed back.
 *
 * @returns what the hook goes on with
 * @throws Error saying what is wrong with it
 */
export function judged(hook: keyof Hooks, returned: TapReturn): unknown {
  return JUDGES[hook](returned);
}

function sameKind({ value, first }: TapReturn): unknown {
  if (value === undefined || value === first) return value;
  const kind = kindOf(first);
  if (kindOf(value) === kind) return value;
  throw new Error(
    `it returned something else than a ${kind}; return a changed message of its kind, or nothing`,
  );
}

/** Tells requests, notifications and answers apart (JSON-RPC 2.0 sections 4 and 5). */
function kindOf(message: unknown): 'request' | 'notification' | 'response' | undefined {
  if (typeof message !== 'object' || message === null) return undefined;
  const { jsonrpc, method } = message as { jsonrpc?: unknown; method?: unknown };
  if (jsonrpc !== '2.0') return undefined;
  if (typeof method === 'string') return 'id' in message ? 'request' : 'notification';
  return 'result' in message || 'error' in message ? 'response' : undefined;
}

function oneOfThem({ value, first }: TapReturn): unknown {
  if (value === undefined) return undefined;
  const { index } = (value ?? {}) as Partial<Candidate>;
  if ((first as readonly Candidate[]).some((candidate) => candidate.index === index)) return value;
  throw new Error('it returned none of the candidates; return one of them, or nothing');
}

function credentials({ plugin, first }: TapReturn): void {
  const { headers, prove } = first as Credentials;
  checkFields(headers, 'credentials.headers');
  if (prove === undefined) return;
  if (typeof prove !== 'function') throw new Error('credentials.prove is no function');
  // One that was checked before stays as it is: each attempt starts from new credentials, not each tap.
  if (!(CHECKED in prove)) (first as Credentials).prove = checkedProof(plugin, prove);
}

const CHECKED = Symbol('checked');

function checkedProof(
  plugin: string,
  prove: NonNullable<Credentials['prove']>,
): NonNullable<Credentials['prove']> {
  const checked: typeof prove = (request) => {
    try {
      const fields = prove(request);
      checkFields(fields, 'what credentials.prove returned');
      return fields;
    } catch (cause) {
      if (cause instanceof ConnectorError) throw cause;
      throw new ConnectorError(
        'MCPC_PLUGIN',
        `Plugin ${plugin} could not sign a request: ${reasonOf(cause)}`,
        {
          cause,
        },
      );
    }
  };
  return Object.assign(checked, { [CHECKED]: true });
}

/** The values are not shown: they are what proves who we are. */
function checkFields(fields: unknown, what: string): void {
  const isMap = typeof fields === 'object' && fields !== null && !('then' in fields);
  if (!isMap) throw new Error(`${what} is no object of header fields`);
  for (const [name, value] of Object.entries(fields)) {
    if (!FIELD_NAME.test(name)) throw new Error(`${what} has a name that no header can have`);
    if (typeof value === 'string' && FIELD_VALUE.test(value)) continue;
    throw new Error(`${what} has a value for ${name} that no header can have`);
  }
}

function opener({ plugin, value }: TapReturn): unknown {
  if (value === undefined) return undefined;
  if (typeof value !== 'function')
    throw new Error('it returned no function; return one that opens, or nothing');
  const open = value as OpenTransport;
  const guarded: OpenTransport = async (context) => {
    try {
      return new GuardedTransport(await open(context), {
        plugin,
        code: 'MCPC_PLUGIN',
        log: context.log,
      });
    } catch (cause) {
      if (cause instanceof ConnectorError) throw cause;
      const text = `Plugin ${plugin} failed in openTransport: ${reasonOf(cause)}`;
      throw new ConnectorError('MCPC_PLUGIN', text, { cause });
    }
  };
  return guarded;
}
