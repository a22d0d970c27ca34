import { parseEndpoint, type Endpoint } from './endpoint.js';
import { ConnectorError, reasonOf } from './errors.js';
import { createHooks, type Hooks } from './hooks.js';
import { Leg } from './leg.js';
import type { Log } from './log.js';
import { Pipeline, type Client } from './pipeline.js';
import type { Flags, FlagValues, Plugin, Registry } from './plugin.js';
import { Retry, type RetryTools } from './retry.js';
import { sdkTransport, type SdkTransport } from './sdk.js';
import type { Settings, TransportKind } from './transport.js';
import type { Clock } from './wake.js';

/** Settings that hold where none are given; times in milliseconds, sizes in bytes. */
export const DEFAULT_SETTINGS: Settings = {
  timeout: 30_000,
  retryAttempts: 3,
  retryDelay: 1_000,
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
}

/**
 * Joins one client to one or more servers. Name endpoints and plugins, then connect a client: from that moment the
 * set of plugins is fixed.
 */
export class Connector implements Registry {
  readonly hooks: Hooks = createHooks();
  readonly settings: Settings;
  readonly log: Log;
  readonly #retryTools: RetryTools;
  readonly #clock: Clock | undefined;
  readonly #plugins: { readonly plugin: Plugin; readonly options: FlagValues<Flags> }[] = [];
  readonly #endpoints: Endpoint[] = [];
  readonly #kinds = new Map<string, { readonly kind: TransportKind; readonly owner: string }>();
  /** The plugin that is being applied, for messages about clashes. */
  #applying = 'the program';
  #frozen = false;

  constructor(options: ConnectorOptions) {
    this.log = options.log;
    this.settings = { ...DEFAULT_SETTINGS, ...options.settings };
    this.#retryTools = options.retryTools ?? 'annotated';
    this.#clock = options.clock;
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
    const other = this.#kinds.get(scheme);
    if (other !== undefined) {
      throw new ConnectorError(
        'MCPC_USAGE',
        `${this.#applying} and ${other.owner} both bring a transport for ${scheme}.`,
        {
          hint: 'Leave out one of the two plugins',
        },
      );
    }
    this.#kinds.set(scheme, { kind, owner: this.#applying });
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
      apply(plugin, this, options);
    }
    this.#frozen = true;
    if (this.#endpoints.length === 0) {
      throw new ConnectorError('MCPC_USAGE', 'No endpoint is given.', {
        hint: 'Add --endpoint https://example.com/mcp, or -- and the command of a local server',
      });
    }
    for (const endpoint of this.#endpoints) this.#check(endpoint);
    return this;
  }

  /** Starts where needed and joins a client to the endpoints. Channels are opened when the first message needs one. */
  connect(client: Client): Pipeline {
    this.start();
    const { hooks, settings, log } = this;
    return new Pipeline({
      client,
      hooks,
      settings,
      log: log.child('line'),
      retry: new Retry(settings, this.#retryTools),
      ...(this.#clock !== undefined && { clock: this.#clock }),
      legs: (events) =>
        this.#endpoints.map((endpoint, index) => {
          const kind = this.#kind(endpoint);
          const open = (context: Parameters<TransportKind['open']>[0]): ReturnType<TransportKind['open']> =>
            kind.open(context);
          return new Leg({ endpoint, index, open, hooks, settings, log: log.child(endpoint.scheme), events });
        }),
    });
  }

  /** Joins an SDK `Client` of this process to the endpoints: hand the result to its `connect`. */
  asSdkTransport(): SdkTransport {
    return sdkTransport((client) => this.connect(client));
  }

  /** What is wrong with an endpoint is told with the place where it was named. */
  #check(endpoint: Endpoint): void {
    try {
      this.#kind(endpoint).validate?.(endpoint);
    } catch (error) {
      if (!(error instanceof ConnectorError) || endpoint.source === undefined) throw error;
      const { code, message, hint } = error;
      throw new ConnectorError(code, `${endpoint.source}: ${message}`, {
        cause: error,
        ...(hint !== undefined && { hint }),
      });
    }
  }

  #kind(endpoint: Endpoint): TransportKind {
    const found = this.#kinds.get(endpoint.scheme);
    if (found !== undefined) return found.kind;
    const known = [...this.#kinds.keys()].sort().join(', ');
    throw new ConnectorError(
      'MCPC_USAGE',
      `No transport is loaded for ${endpoint.scheme} (${endpoint.label}).`,
      {
        hint: `Give --transport one of ${known || 'those of a plugin'}, or load the plugin that brings it with --plugin NAME`,
      },
    );
  }

  #mustBeOpen(what: string): void {
    if (!this.#frozen) return;
    throw new ConnectorError('MCPC_USAGE', `It is too late to ${what}: the connector has started.`, {
      hint: 'Do it before start() or connect(), or inside the apply() of a plugin',
    });
  }
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
