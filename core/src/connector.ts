import { parseEndpoint, type Endpoint } from './endpoint.js';
import { ConnectorError, reasonOf } from './errors.js';
import type { EquivalenceMode } from './equivalence.js';
import { GuardedTransport } from './guarded.js';
import type { Hooks } from './contract.js';
import { createHooks } from './hooks.js';
import { Leg } from './leg.js';
import type { Log } from './log.js';
import { Pipeline, type Client } from './pipeline.js';
import type { Flags, FlagValues, Plugin, Registry } from './plugin.js';
import { Retry, type RetryTools } from './retry.js';
import type { Affinity } from './router.js';
import { sdkTransport, type SdkTransport } from './sdk.js';
import type { EndpointSource } from './sources.js';
import type { Settings, Transport, TransportContext, TransportKind } from './transport.js';
import type { Clock } from './wake.js';

/** Settings that hold where none are given; times in milliseconds, sizes in bytes. */
export const DEFAULT_SETTINGS: Settings = {
  timeout: 30_000,
  retryAttempts: 3,
  retryDelay: 1_000,
  ejectionTime: 5_000,
  maxMessageSize: 64 * 1024 * 1024,
  tls: {},
};

/** What a connector is made from. */
export interface ConnectorOptions {
  readonly log: Log;
  /** Settings that differ from {@link DEFAULT_SETTINGS}. */
  readonly settings?: Partial<Settings>;
  /** Which tool calls may be repeated after an unknown outcome; defaults to `annotated`. */
  readonly retryTools?: RetryTools;
  /** Shows when the machine has slept; the one on the wall where none is given. */
  readonly clock?: Clock;
  /** What of a legacy session stays on one endpoint; defaults to `session`: all of it. */
  readonly affinity?: Affinity;
  /** What becomes of endpoints that differ from the one that the client knows; defaults to `off`. */
  readonly equivalence?: EquivalenceMode;
  /** Connections to each endpoint whose transport gains by several, from 1, which is the default. */
  readonly pool?: number;
}

/**
 * Joins one client to one or more servers. Name endpoints and plugins, then connect a client: from that moment the
 * set of plugins is fixed.
 */
export class Connector implements Registry {
  readonly hooks: Hooks = createHooks();
  readonly settings: Settings;
  readonly log: Log;
  readonly #options: ConnectorOptions;
  readonly #plugins: { readonly plugin: Plugin; readonly options: FlagValues<Flags> }[] = [];
  readonly #endpoints: Endpoint[] = [];
  readonly #kinds = new Map<string, TransportKind>();
  readonly #sources = new Map<string, EndpointSource>();
  /** Which plugin brings what is reached under a scheme. */
  readonly #owners = new Map<string, string>();
  /** The plugin that is being applied, for messages about clashes. */
  #applying = 'the program';
  #frozen = false;

  constructor(options: ConnectorOptions) {
    this.log = options.log;
    this.settings = { ...DEFAULT_SETTINGS, ...options.settings };
    this.#options = options;
  }

  get endpoints(): readonly Endpoint[] {
    return this.#endpoints;
  }

  /**
   * Queues a plugin. Plugins are applied in this order when the connector starts. Options that are left out have the
   * defaults of the plugin's flags.
   *
   * @throws ConnectorError `MCPC_USAGE` once the connector has started
   */
  use<F extends Flags>(plugin: Plugin<F>, options: Partial<FlagValues<F>> = {}): this {
    this.#mustBeOpen(`use the plugin ${plugin.name}`);
    const complete = { ...defaultsOf(plugin.flags ?? {}), ...options };
    this.#plugins.push({ plugin: plugin as unknown as Plugin, options: complete });
    return this;
  }

  endpoint(endpoint: Endpoint | string): void {
    this.#mustBeOpen('add an endpoint');
    const parsed = typeof endpoint === 'string' ? parseEndpoint(endpoint) : endpoint;
    this.log.hide(...parsed.secrets);
    this.#endpoints.push(parsed);
  }

  transport(scheme: string, kind: TransportKind): void {
    this.#mustBeOpen(`add a transport for ${scheme}`);
    this.#take(scheme);
    if (typeof (kind as Partial<TransportKind> | undefined)?.open !== 'function') {
      throw new TypeError(`its transport for ${scheme} has no function open`);
    }
    this.#kinds.set(scheme, kind);
  }

  source(scheme: string, source: EndpointSource): void {
    this.#mustBeOpen(`add a source for ${scheme}`);
    this.#take(scheme);
    this.#sources.set(scheme, source);
  }

  /**
   * Applies the plugins, checks every endpoint and fixes the set. Nothing is opened yet. Calling it again does
   * nothing.
   *
   * @throws ConnectorError `MCPC_USAGE` or `MCPC_PLUGIN`
   */
  start(): this {
    if (this.#frozen) return this;
    for (const { plugin, options } of this.#plugins) {
      this.#applying = plugin.name;
      apply(plugin, this.#registryFor(plugin), options);
    }
    this.#frozen = true;
    if (this.#endpoints.length === 0) {
      throw new ConnectorError('MCPC_USAGE', 'No endpoint is given.', {
        hint: 'Add --endpoint https://example.com/mcp, or -- and the command of a local server',
      });
    }
    for (const endpoint of this.#endpoints) this.check(endpoint);
    return this;
  }

  /** Starts where needed and joins a client to the endpoints. Channels are opened when the first message needs one. */
  connect(client: Client): Pipeline {
    this.start();
    const { hooks, settings, log } = this;
    const { retryTools = 'annotated', affinity = 'session', equivalence = 'off', pool = 1 } = this.#options;
    return new Pipeline({
      client,
      hooks,
      settings,
      log: log.child('line'),
      retry: new Retry(settings, retryTools),
      ...(this.#options.clock !== undefined && { clock: this.#options.clock }),
      affinity,
      equivalence,
      endpoints: this.#endpoints,
      sourceOf: (scheme) => this.#sources.get(scheme),
      connections: (endpoint) => (this.#kind(endpoint).pooled === true ? pool : 1),
      makeLeg: (parts) => {
        const { endpoint } = parts;
        const kind = this.#kind(endpoint);
        const plugin = this.#owners.get(endpoint.scheme)!;
        const open: TransportKind['open'] = async (context) =>
          new GuardedTransport(await opened(kind, context, plugin), {
            plugin,
            code: 'MCPC_CONNECTION_LOST',
            log: context.log,
          });
        return new Leg({ ...parts, open, hooks, settings, log: log.child(parts.endpoint.scheme) });
      },
    });
  }

  /** Joins an SDK `Client` of this process to the endpoints: hand the result to its `connect`. */
  asSdkTransport(): SdkTransport {
    return sdkTransport((client) => this.connect(client));
  }

  /**
   * Checks an endpoint before it is used. What is wrong with it is told with the place where it was named.
   *
   * @throws ConnectorError `MCPC_USAGE` when no plugin reaches it, or when it is malformed
   */
  check(endpoint: Endpoint): void {
    this.log.hide(...endpoint.secrets);
    try {
      const meant = this.#sources.get(endpoint.scheme)?.begin(endpoint) ?? [endpoint];
      for (const each of meant) this.#kind(each).validate?.(each);
    } catch (error) {
      if (!(error instanceof ConnectorError) || endpoint.source === undefined) throw error;
      const { code, message, hint } = error;
      throw new ConnectorError(code, `${endpoint.source}: ${message}`, {
        cause: error,
        ...(hint !== undefined && { hint }),
      });
    }
  }

  /** What a plugin may touch, with a log of its own. */
  #registryFor({ name }: Plugin): Registry {
    const { hooks, settings, endpoints } = this;
    return {
      hooks,
      settings,
      endpoints,
      log: this.log.child(name.slice(name.indexOf('/') + 1)),
      endpoint: (endpoint) => this.endpoint(endpoint),
      transport: (scheme, kind) => this.transport(scheme, kind),
      source: (scheme, source) => this.source(scheme, source),
    };
  }

  #kind(endpoint: Endpoint): TransportKind {
    const found = this.#kinds.get(endpoint.scheme);
    if (found !== undefined) return found;
    const known = [...this.#kinds.keys()].sort().join(', ');
    throw new ConnectorError(
      'MCPC_USAGE',
      `No transport is loaded for ${endpoint.scheme} (${endpoint.label}).`,
      {
        hint: `Give --transport one of ${known || 'those of a plugin'}, or load the plugin that brings it with --plugin NAME`,
      },
    );
  }

  /** Notes that the plugin that is being applied has this scheme. */
  #take(scheme: string): void {
    if (typeof scheme !== 'string' || !/^[a-z][a-z0-9+.-]*$/.test(scheme))
      throw new TypeError(`${scheme} can be no scheme of an address`);
    const other = this.#owners.get(scheme);
    if (other !== undefined) {
      const text = `${this.#applying} and ${other} both bring a transport for ${scheme}.`;
      throw new ConnectorError('MCPC_USAGE', text, { hint: 'Leave out one of the two plugins' });
    }
    this.#owners.set(scheme, this.#applying);
  }

  #mustBeOpen(what: string): void {
    if (!this.#frozen) return;
    throw new ConnectorError('MCPC_USAGE', `It is too late to ${what}: the connector has started.`, {
      hint: 'Do it before start() or connect(), or inside the apply() of a plugin',
    });
  }
}

/**
 * Opens a channel. A plugin whose transport throws what is none of our errors is named. Its own mistakes do not pass by
 * waiting, as a server that is down does.
 */
async function opened(kind: TransportKind, context: TransportContext, plugin: string): Promise<Transport> {
  try {
    return await kind.open(context);
  } catch (cause) {
    if (cause instanceof ConnectorError) throw cause;
    const text = `Plugin ${plugin} could not open ${context.endpoint.label}: ${reasonOf(cause)}`;
    if (!isMistake(cause)) throw new ConnectorError('MCPC_CONNECT', text, { cause });
    const hint = `Report this to the authors of ${plugin}`;
    throw new ConnectorError('MCPC_PLUGIN', text, { cause, hint, lasting: true });
  }
}

/** What JavaScript itself throws at the mistakes of a program. */
const MISTAKES = [TypeError, ReferenceError, RangeError, SyntaxError] as const;

/** Tells whether a program is at fault. `fetch` throws a TypeError where the network is, with its reason as the cause. */
function isMistake(error: unknown): boolean {
  return MISTAKES.some((kind) => error instanceof kind) && (error as Error).cause === undefined;
}

/** A plugin that cannot be applied is named, whatever it throws. */
function apply(plugin: Plugin, registry: Registry, options: FlagValues<Flags>): void {
  try {
    const returned: unknown = plugin.apply(registry, options);
    if (!(returned instanceof Promise)) return;
    returned.catch(() => undefined);
    throw new Error('its apply() is asynchronous; waiting belongs into open() and into taps');
  } catch (error) {
    if (error instanceof ConnectorError) throw error;
    throw new ConnectorError(
      'MCPC_PLUGIN',
      `Plugin ${plugin.name} could not be applied: ${reasonOf(error)}`,
      {
        cause: error,
        hint: `Report this to the authors of ${plugin.name}, or leave it out`,
      },
    );
  }
}

function defaultsOf(flags: Flags): FlagValues<Flags> {
  const values: Record<string, unknown> = {};
  for (const [name, flag] of Object.entries(flags)) {
    if (flag.type === 'boolean') values[name] = false;
    else values[name] = flag.type === 'string' && flag.multiple === true ? [] : flag.default;
  }
  return values as FlagValues<Flags>;
}
