import { statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { ConnectorError, expandVariables, type Flags } from '@mcp-connect/core';
import type { Environment } from '../command-line/plain.js';
import { closest } from '../command-line/suggest.js';
import type { Value, Values } from '../flags/flags.js';
import { holdsSecret } from '../flags/secrets.js';
import { OAUTH_FLAGS } from '../flags/serving.js';
import type { PluginInUse } from '../plugins/in-use.js';
import { checkBySchema, nameOf, placed, type Aliases } from './check.js';
import { readDocument, type ConfigDocument, type Path } from './document.js';
import { configSchema, optionsSchema } from './schema.js';
import { flagValue } from './values.js';

/** A plugin that a file names. */
type PluginEntry = string | { readonly name: string; readonly options?: Settings };

/** Values by the names of their flags, as they are written. */
type Settings = Readonly<Record<string, unknown>>;

/** Values that are written together. */
interface Group {
  readonly settings: Settings;
  readonly flags: Flags;
  readonly at: Path;
}

/** A file that fits its schema. */
interface Contents extends Settings {
  readonly plugins?: readonly PluginEntry[];
  readonly servers?: Readonly<Record<string, Settings>>;
}

/** What else a key may be called: flags that mean the same. */
const ALIASES: Aliases = { plugin: 'plugins', server: 'servers', ...OAUTH_FLAGS };

/** What a file says for the flags of a command line. */
export interface Presets {
  readonly values: Values;
  /** What the user should know, such as that others can read a secret. */
  readonly warnings: readonly string[];
}

/** What the values of a file are read for. */
export interface PresetOptions {
  readonly plugins: readonly PluginInUse[];
  /** Which of the servers; undefined for what holds for all of them. */
  readonly server: string | undefined;
}

/** What a file is read with. */
export interface ReadOptions {
  /** The flags that it may give by their names. */
  readonly flags: Flags;
  readonly env: Environment;
}

/** A configuration file that fits its schema. */
export class ConfigFile {
  readonly path: string;
  /** The folder from which the paths in it count. */
  readonly folder: string;
  /** The plugins that it names. */
  readonly plugins: readonly string[];
  /** The names of the servers that it describes. */
  readonly servers: readonly string[];
  readonly #document: ConfigDocument;
  readonly #contents: Contents;
  readonly #flags: Flags;
  readonly #env: Environment;

  private constructor(document: ConfigDocument, flags: Flags, env: Environment) {
    const contents = document.value as Contents;
    this.path = document.path;
    this.folder = dirname(resolve(document.path));
    this.servers = Object.keys(contents.servers ?? {});
    this.plugins = (contents.plugins ?? []).map((entry, index) => {
      try {
        return expandVariables(typeof entry === 'string' ? entry : entry.name, { flag: 'plugin', env });
      } catch (error) {
        throw placed(error, document, ['plugins', index]);
      }
    });
    this.#document = document;
    this.#contents = contents;
    this.#flags = flags;
    this.#env = env;
  }

  /**
   * Reads a file and checks it by its schema, but for the options of plugins, which have to be loaded first.
   *
   * @throws ConnectorError `MCPC_USAGE` with file, line and column of the first mistake
   */
  static read(path: string, { flags, env }: ReadOptions): ConfigFile {
    const document = readDocument(path);
    if (document.value === null || document.value === undefined) {
      throw new ConnectorError('MCPC_USAGE', `${path} is empty.`, {
        hint: 'Write for example: endpoint: https://example.com/mcp',
      });
    }
    checkBySchema(document.value, configSchema(flags), { document, at: [], aliases: ALIASES });
    return new ConfigFile(document, flags, env);
  }

  /** Puts the place of a plugin in front of what is wrong with it. */
  placedAtPlugin(index: number, error: unknown): unknown {
    return placed(error, this.#document, ['plugins', index]);
  }

  /**
   * Reads what the file says for a command line.
   *
   * @throws ConnectorError `MCPC_USAGE` when there is no such server, or an option is none of its plugin
   */
  presets({ plugins, server }: PresetOptions): Presets {
    if (server !== undefined) this.#checkServer(server);
    const options = plugins.flatMap((plugin) => this.#options(plugin));
    for (const { settings, flags, at } of options)
      checkBySchema(settings, optionsSchema(flags), { document: this.#document, at });
    const common: Group = { settings: this.#contents, flags: this.#flags, at: [] };
    const servers = this.servers.map((name) => this.#server(name));
    const chosen = [...options, common, ...(server === undefined ? [] : [this.#server(server)])];
    return {
      values: Object.fromEntries(chosen.flatMap((group) => this.#values(group))),
      warnings: this.#warnings([common, ...servers, ...options]),
    };
  }

  #checkServer(server: string): void {
    if (this.servers.includes(server)) return;
    const near = closest(server, this.servers);
    const known =
      this.servers.length === 0 ? 'Leave --server out' : `It describes ${this.servers.join(', ')}`;
    throw new ConnectorError('MCPC_USAGE', `${this.path} describes no server ${server}.`, {
      hint: near === undefined ? known : `Did you mean --server ${near}?`,
    });
  }

  #server(name: string): Group {
    return { settings: this.#contents.servers![name]!, flags: this.#flags, at: ['servers', name] };
  }

  #options({ plugin, inFile }: PluginInUse): readonly Group[] {
    const entry = inFile === undefined ? undefined : this.#contents.plugins?.[inFile];
    if (typeof entry !== 'object' || entry.options === undefined) return [];
    return [{ settings: entry.options, flags: plugin.flags ?? {}, at: ['plugins', inFile!, 'options'] }];
  }

  #values({ settings, flags, at }: Group): [name: string, value: Value][] {
    return Object.entries(settings).flatMap(([name, value]) => {
      const flag = Object.hasOwn(flags, name) ? flags[name] : undefined;
      if (flag === undefined) return [];
      const mistake = (message: string, hint: string): ConnectorError =>
        this.#document.mistake(this.#document.offset([...at, name], 'value'), message, hint);
      return [[name, flagValue(flag, value, { name, folder: this.folder, env: this.#env, mistake })]];
    });
  }

  /** A file of this kind chooses programs to run, and may hold secrets. On Windows its mode says nothing. */
  #warnings(groups: readonly Group[]): readonly string[] {
    if (process.platform === 'win32') return [];
    const { mode } = statSync(this.path);
    const written = (mode & 0o002) === 0 ? [] : [`${this.path} can be written by everyone: chmod o-w it`];
    const secrets = (mode & 0o044) === 0 ? [] : groups.flatMap((group) => this.#secrets(group));
    if (secrets.length === 0) return written;
    const told = `${this.path} can be read by others and holds ${secrets.join(', ')}`;
    return [...written, `${told}: name variables instead, as \${NAME}, or chmod 600 it`];
  }

  /** Names the values that hold a secret itself, and not the name of its variable. */
  #secrets(group: Group): string[] {
    return this.#values(group)
      .filter(([name, value]) =>
        [value].flat().some((text) => typeof text === 'string' && holdsSecret(group.flags[name]!, text)),
      )
      .map(([name]) => nameOf([...group.at, name]));
  }
}
