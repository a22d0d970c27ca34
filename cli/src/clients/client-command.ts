import { homedir } from 'node:os';
import { fileURLToPath } from 'node:url';
import type { Flag, Flags, Plugin } from '@mcp-connect/core';
import { ModeCommand } from '../command-line/base.js';
import { openLine, type Line } from '../command-line/line.js';
import { MODES, type Mode } from '../command-line/modes.js';
import { DECIDING_FLAGS } from '../flags/file-flags.js';
import { CLIENT_FLAGS } from '../flags/local.js';
import { oclifFlags, valuesOf, type OclifFlags } from '../flags/oclif-flags.js';
import { PROXY_FLAGS } from '../flags/serving.js';
import { loadPlugins } from '../plugins/load.js';
import { pluginPlaces } from '../plugins/resolve.js';
import type { CLIENTS } from './clients.js';
import { configure } from './configure.js';

const SCRIPT = fileURLToPath(new URL('../../bin/run.js', import.meta.url));

/** How `config` reads its line: as `proxy` does. */
const CONFIG: Mode = { ...MODES.proxy, flags: { ...CLIENT_FLAGS, ...PROXY_FLAGS } };

/** Returns the flags of the commands that configure a client. */
export async function clientFlags(): Promise<OclifFlags> {
  return withoutVariables(CONFIG.flags, await loadPlugins(CONFIG.plugins, pluginPlaces(process.env)));
}

/** A command that writes the settings of one client. */
export abstract class ClientCommand extends ModeCommand {
  /**
   * Reads the line and does what it asks for. Variables count for nothing here: the client is started without them.
   *
   * @throws ConnectorError `MCPC_USAGE` naming what is at fault
   */
  protected async configure(client: keyof typeof CLIENTS): Promise<never> {
    const { env } = process;
    const deciding = new Set(DECIDING_FLAGS.map((name) => (PROXY_FLAGS as Flags)[name]?.env));
    const without = Object.entries(env).filter(([name]) => !deciding.has(name));
    const line = await openLine(CONFIG, this.argv, { env: Object.fromEntries(without) });
    await configure({
      client,
      line,
      values: await this.#valuesOf(line),
      place: { platform: process.platform, env, home: homedir(), cwd: process.cwd() },
      node: process.execPath,
      script: SCRIPT,
      stdout: process.stdout,
      stderr: process.stderr,
    });
    return this.exit(0);
  }

  async #valuesOf({ args, flags, plugins, presets }: Line): ReturnType<ClientCommand['readFlags']> {
    const bare = bareFlags(flags);
    const parsed = await this.parseFlags(args, bare, withoutVariables(CONFIG.flags, plugins));
    return valuesOf(bare, parsed, presets.values);
  }
}

function withoutVariables(own: Flags, plugins: readonly Plugin[]): OclifFlags {
  const bare = plugins.map((plugin) => ({ ...plugin, flags: bareFlags(plugin.flags ?? {}) }));
  return oclifFlags(bareFlags(own), bare);
}

function bareFlags(flags: Flags): Flags {
  return Object.fromEntries(
    Object.entries(flags).map(([name, { env: _env, ...flag }]) => [name, flag as Flag]),
  );
}
