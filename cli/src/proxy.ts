import { homedir } from 'node:os';
import type { Readable, Writable } from 'node:stream';
import {
  Connector,
  LogMessages,
  reasonOf,
  serveClient,
  stateDir,
  type Flags,
  type Log,
  type Plugin,
  type Settings,
} from '@mcp-connect/core';
import { consoleToStderr } from './console.js';
import { expandValues } from './expand.js';
import type { CommonValues, Value, Values } from './flags.js';
import { openLog } from './log-sinks.js';
import type { Mode } from './modes.js';
import { networkOf } from './network.js';
import type { Environment } from './plain.js';
import { tell } from './report.js';

/** A command line that has been read. */
export interface Invocation {
  readonly mode: Mode;
  /** All flags: those of the command and of its plugins. */
  readonly flags: Flags;
  readonly plugins: readonly Plugin[];
  readonly values: Values;
  /** The words after `--`. */
  readonly words: readonly string[];
  /** The environment variables that gave some of the values. */
  readonly variables: readonly string[];
}

/** What a serving command needs of its process. */
export interface Surroundings {
  readonly stdin: Readable;
  readonly stdout: Writable;
  readonly stderr: Writable;
  readonly env: Environment;
  on(signal: StopSignal, listener: () => void): unknown;
  on(event: 'uncaughtException' | 'unhandledRejection', listener: (error: unknown) => void): unknown;
  off(signal: StopSignal, listener: () => void): unknown;
}

type StopSignal = (typeof STOP_SIGNALS)[number];

const STOP_SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/**
 * Serves the client on stdin and stdout until it is gone or a signal asks to stop. A failure at start is one line on
 * stderr, and stdin is untouched then.
 *
 * @param around the process, or a stand-in for it
 * @returns the exit code
 * @throws ConnectorError `MCPC_USAGE` when the log file cannot be written
 */
export async function runProxy(invocation: Invocation, around: Surroundings): Promise<number> {
  const { stdin, stdout, stderr } = around;
  // A host that closes our stderr must not end the session.
  stderr.on('error', () => undefined);
  const values = invocation.values as Values & CommonValues;
  const messages = new LogMessages({ level: values.debug ? 'trace' : 'warn' });
  const log = openLog(values, { stderr, env: around.env, also: (record) => messages.write(record) });
  try {
    const connector = await prepare(invocation, log, around.env);
    if (values.debug) connector.use(messages.plugin());
    connector.start();
    consoleToStderr();
    const stopped = firstSignal(around);
    const broken = strayFailure(around, log);
    const serving = serveClient(connector, { input: stdin, output: stdout, messages });
    const exitCode = await Promise.race([serving.ended.then(() => 0), stopped.then(() => 0), broken]);
    await serving.close();
    return exitCode;
  } catch (error) {
    return tell(error, { stderr, log, variables: invocation.variables });
  }
}

/**
 * Makes the connector that a command line asks for; nothing is opened yet.
 *
 * @throws ConnectorError `MCPC_USAGE` naming the flag to mend
 */
export async function prepare(
  { mode, flags, plugins, values, words }: Invocation,
  log: Log,
  env: Environment,
): Promise<Connector> {
  const expanded = expandValues(values, { flags, env, hide: log.hide });
  const common = expanded as Values & CommonValues;
  const endpoints = mode.endpoints(expanded, words);
  const connector = new Connector({
    log,
    settings: {
      timeout: common.timeout * 1000,
      retryAttempts: common['retry-attempts'],
      retryDelay: common['retry-delay'],
      maxMessageSize: common['max-message-size'],
      ...milliseconds('requestTimeout', common['request-timeout']),
      ...milliseconds('maxRequestTime', common['max-request-time']),
      stateDir: stateDir({ env, platform: process.platform, home: homedir() }),
      ...(await networkOf(common, { env, log, endpoints })),
    },
    retryTools: common['retry-tools'],
  });
  for (const endpoint of endpoints) connector.endpoint(endpoint);
  for (const plugin of plugins) connector.use(plugin, ownValues(plugin, expanded) as never);
  return connector;
}

function milliseconds<K extends keyof Settings>(
  name: K,
  seconds: number | undefined,
): Pick<Settings, K> | {} {
  return seconds === undefined ? {} : { [name]: seconds * 1000 };
}

/** Hands a plugin the values of its own flags and no others. */
function ownValues(plugin: Plugin, values: Values): Values {
  const own: Record<string, Value> = {};
  for (const name of Object.keys(plugin.flags ?? {})) own[name] = values[name];
  return own;
}

/**
 * Settles with the exit code when something threw where nobody could catch it: then all that can be done is an orderly
 * end, in which every request is answered and every child stopped. A stray rejection alone ends nothing.
 */
function strayFailure(around: Surroundings, log: Log): Promise<number> {
  around.on('unhandledRejection', (error) =>
    log.error?.('a promise was rejected unheard: %s', reasonOf(error)),
  );
  return new Promise((resolve) => {
    around.on('uncaughtException', (error) => {
      log.error?.('stopping, because something threw: %s', reasonOf(error));
      resolve(1);
    });
  });
}

/** Settles at the first stop signal. A second one must not cut the orderly stop short; a third has its usual effect. */
function firstSignal(around: Surroundings): Promise<void> {
  return new Promise((resolve) => {
    let count = 0;
    const onsignal = (): void => {
      count += 1;
      resolve();
      if (count === 2) for (const signal of STOP_SIGNALS) around.off(signal, onsignal);
    };
    for (const signal of STOP_SIGNALS) around.on(signal, onsignal);
  });
}
