import type { Endpoint } from './endpoint.js';
import type { Hooks } from './contract.js';
import type { Log } from './log.js';
import type { EndpointSource } from './sources.js';
import type { Settings, TransportKind } from './transport.js';

interface FlagBase {
  /** One line for `--help`. */
  readonly summary: string;
  /** Name of an environment variable that gives the value when the flag is absent. */
  readonly env?: string;
  /** Names a kind of value in `--help`, such as `URL`. */
  readonly valueName?: string;
}

/** A flag with a text value. */
export interface StringFlag extends FlagBase {
  readonly type: 'string';
  readonly default?: string;
  /** May be given several times; the value is then a list. */
  readonly multiple?: boolean;
  /** The only values allowed. */
  readonly options?: readonly string[];
  /**
   * Keeps `${NAME}` in the values as it is. The plugin replaces it itself with `expandVariables`, after it has taken a
   * value apart, so that no variable can add a part of its own.
   */
  readonly verbatim?: boolean;
  /** Marks values that logs, errors and help must never show. */
  readonly secret?: boolean;
  /** The value is a list with commas between; a configuration file may give it item by item. */
  readonly list?: boolean;
  /** Each value is a name, this, and what the name stands for; a configuration file may give them as an object. */
  readonly pairs?: ':' | '=';
  /** Names a file or folder; a relative one in a configuration file counts from the folder of that file. */
  readonly path?: boolean;
}

/** A flag with a whole number. */
export interface IntegerFlag extends FlagBase {
  readonly type: 'integer';
  readonly default?: number;
  readonly min?: number;
  readonly max?: number;
}

/** A flag that is there or not. */
export interface BooleanFlag extends FlagBase {
  readonly type: 'boolean';
}

/** One flag as plain data: types, parsing, help, environment, completion and docs derive from it. */
export type Flag = StringFlag | IntegerFlag | BooleanFlag;

/** Flags by name, without the leading dashes. */
export type Flags = Readonly<Record<string, Flag>>;

type FlagValue<F extends Flag> = F extends BooleanFlag
  ? boolean
  : F extends IntegerFlag
    ? F extends { readonly default: number }
      ? number
      : number | undefined
    : F extends { readonly multiple: true }
      ? readonly string[]
      : F extends { readonly options: readonly (infer O)[] }
        ? F extends { readonly default: string }
          ? O
          : O | undefined
        : F extends { readonly default: string }
          ? string
          : string | undefined;

/** The values of a plugin's flags, as its `apply` gets them. */
export type FlagValues<F extends Flags> = { readonly [K in keyof F]: FlagValue<F[K]> };

/** What a plugin may touch while it is applied: the open side of a connector. */
export interface Registry {
  readonly hooks: Hooks;
  readonly settings: Settings;
  /** Writes under a namespace that ends in the plugin's name, without its scope. */
  readonly log: Log;
  /** The endpoints named so far, the primary one first. */
  readonly endpoints: readonly Endpoint[];
  /** Adds an endpoint behind those named so far; text is read by `parseEndpoint`. */
  endpoint(endpoint: Endpoint | string): void;
  /**
   * Registers how to reach the servers of one scheme.
   *
   * @throws ConnectorError `MCPC_USAGE` when another plugin has the scheme, naming both
   */
  transport(scheme: string, kind: TransportKind): void;
  /**
   * Registers what stands behind the endpoints of one scheme.
   *
   * @throws ConnectorError `MCPC_USAGE` when another plugin has the scheme, naming both
   */
  source(scheme: string, source: EndpointSource): void;
}

/** What a plugin brings, for listings: nothing is run to find it out. */
export interface Provides {
  /** Schemes of endpoints for which it has a transport. */
  readonly schemes?: readonly string[];
  /** Hooks in which it may take part. */
  readonly hooks?: readonly (keyof Hooks)[];
}

/** A plugin: one object that names its flags and, when applied, registers transports and taps hooks. */
export interface Plugin<F extends Flags = Flags> {
  /** The package's name, shown in errors, logs and listings. */
  readonly name: string;
  /** The versions of `@mcp-connect/core` that it works with, as a semver range. */
  readonly core?: string;
  readonly flags?: F;
  readonly provides?: Provides;
  /**
   * Registers what the plugin brings. Runs once, before anything is opened; keep heavy imports behind
   * `await import()` where they are used.
   */
  apply(connector: Registry, options: FlagValues<F>): void;
}

/** Returns `plugin` as it is, with the types of its flags inferred for `apply`. */
export function definePlugin<const F extends Flags = {}>(plugin: Plugin<F>): Plugin<F> {
  return plugin;
}
