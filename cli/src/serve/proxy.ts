import { homedir } from 'node:os';
import type { Readable, Writable } from 'node:stream';
import {
  Connector,
  LogMessages,
  reasonOf,
  runtimeDir,
  serveClient,
  stateDir,
  type Endpoint,
  type Flags,
  type Log,
  type Pipeline,
  type Plugin,
  type Serving,
  type Settings,
} from '@mcp-connect/core';
import type { Mode } from '../command-line/modes.js';
import type { Environment } from '../command-line/plain.js';
import { expandValues } from '../flags/expand.js';
import type { CommonValues, Value, Values } from '../flags/flags.js';
import { networkOf } from '../network/network.js';
import { consoleToStderr } from '../output/console.js';
import { openLog } from '../output/log-sinks.js';
import { tell } from '../output/report.js';
import type { ProcessStatus, StatusServer } from './status.js';
import { unsentFlags } from './unsent.js';

/** A command line that has been read. */
export interface Invocation {
  readonly mode: Mode;
  /** All flags: those of the command and of its plugins. */
  readonly flags: Flags;
  readonly plugins: readonly Plugin[];
  readonly values: Values;
  /** The words before `--`, which hold nothing but flags. */
  readonly args: readonly string[];
  /** The words after `--`. */
  readonly words: readonly string[];
  /** The environment variables that gave some of the values. */
  readonly variables: readonly string[];
  /** The configuration file that gave others. */
  readonly file: string | undefined;
  /** What the log is to say about that file. */
  readonly warnings: readonly string[];
}

/** What a serving command needs of its process. */
export interface Surroundings {
  readonly stdin: Readable & { readonly isTTY?: boolean };
  readonly stdout: Writable;
  readonly stderr: Writable;
  readonly env: Environment;
  on(signal: StopSignal, listener: () => void): unknown;
  on(event: 'uncaughtException' | 'unhandledRejection', listener: (error: unknown) => void): unknown;
  on(signal: 'SIGUSR2', listener: () => void): unknown;
  off(signal: StopSignal, listener: () => void): unknown;
}

interface Following {
  readonly connector: Connector;
  readonly around: Surroundings;
  readonly pipeline: Pipeline;
  /** Reads all endpoints anew. */
  read(): readonly Endpoint[];
}

type StopSignal = (typeof STOP_SIGNALS)[number];

/** How long the first answer may hold up the status of the process, in milliseconds. */
const STATUS_PATIENCE = 250;

/** Signals that ask a serving command to stop. */
export const STOP_SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
const WITHOUT_SIGHUP = ['SIGINT', 'SIGTERM'] as const;

/** What somebody reads who starts us by hand. */
const FOR_PEOPLE =
  'mcp-connect: waiting for an MCP client on stdin; put this command into the settings of one. To see whether a server works, use mcp-connect test.';
/** A signal so soon behind the first wish to stop is the same wish, told twice, and hurries nothing, in milliseconds. */
const SAME_WISH = 1_000;

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
  const given = invocation.values as Values & CommonValues;
  const messages = new LogMessages({ level: given.debug ? 'trace' : 'warn' });
  const log = openLog(given, { stderr, env: around.env, also: (record) => messages.write(record) });
  try {
    const { connector, values } = await prepare(invocation, log, around.env);
    if (stdin.isTTY === true) stderr.write(`${FOR_PEOPLE}\n`);
    if (given.debug) connector.use(messages.plugin());
    connector.start();
    // Plugins have added their endpoints, such as fallbacks, by now.
    const unsent = unsentFlags({ plugins: invocation.plugins, values, endpoints: connector.endpoints });
    if (unsent.length > 0)
      log.warn?.('only HTTP takes header fields, so these do nothing: %s', unsent.join(', '));
    consoleToStderr();
    const file = invocation.mode.file?.(values);
    let askedAt = Infinity;
    const stopped = new Promise<number>((resolve) =>
      watchSignals(around, file === undefined ? STOP_SIGNALS : WITHOUT_SIGHUP, () => {
        resolve(0);
        // Clients of the SDK end us by force two seconds behind a signal that comes two seconds behind the end of input.
        if (performance.now() - askedAt > SAME_WISH) serving.hurry();
      }),
    );
    const broken = strayFailure(around, log);
    const serving = serveClient(connector, { input: stdin, output: stdout, messages });
    const following =
      file === undefined
        ? undefined
        : await follow(file, {
            connector,
            around,
            pipeline: serving.pipeline,
            read: () => invocation.mode.endpoints(values, invocation.words),
          });
    const status = tellStatus(invocation.mode.name, serving, { around, log });
    const exitCode = await Promise.race([serving.ended.then(() => 0), stopped, broken]);
    askedAt = performance.now();
    await serving.close();
    following?.close();
    status.close();
    return exitCode;
  } catch (error) {
    return tell(error, { stderr, log, invocation });
  }
}

/** Follows a file of endpoints: with every change of it, and with SIGHUP. */
async function follow(
  path: string,
  { connector, around, pipeline, read }: Following,
): Promise<{ close(): void }> {
  const { EndpointsFile } = await import('./endpoints-file.js');
  const file = new EndpointsFile({
    path,
    log: connector.log,
    read() {
      const endpoints = read();
      for (const endpoint of endpoints) connector.check(endpoint);
      return endpoints;
    },
    onchange: (endpoints) => pipeline.follow(endpoints),
  });
  around.on('SIGHUP', () => file.reread());
  return file;
}

/**
 * Tells the status to whoever asks by the socket, and on stderr at SIGUSR2. The socket is opened once the client has its
 * first answer: until then every millisecond is the client's.
 */
function tellStatus(
  command: string,
  { pipeline, greeted }: Serving,
  { around, log }: { around: Surroundings; log: Log },
): StatusServer {
  const status = (): ProcessStatus => ({ pid: process.pid, command, endpoints: pipeline.status() });
  const show = async (): Promise<void> => {
    const { statusTable } = await import('./status.js');
    around.stderr.write(statusTable(status()));
  };
  if (process.platform !== 'win32') around.on('SIGUSR2', () => void show());
  let server: StatusServer | undefined;
  let closed = false;
  const serve = async (): Promise<void> => {
    const { serveStatus } = await import('./status.js');
    const place = { env: around.env, platform: process.platform, home: homedir() };
    if (!closed) server ??= serveStatus(runtimeDir(place), log, status);
  };
  const late = setTimeout(() => void serve(), STATUS_PATIENCE);
  const begin = (): void => {
    clearTimeout(late);
    setImmediate(() => void serve());
  };
  void greeted.then(begin);
  return {
    close() {
      closed = true;
      clearTimeout(late);
      server?.close();
    },
  };
}

/**
 * Makes the connector that a command line describes. It is not started yet.
 *
 * @throws ConnectorError `MCPC_USAGE` naming the flag to mend
 */
export async function prepare(
  { mode, flags, plugins, values, words, warnings }: Invocation,
  log: Log,
  env: Environment,
): Promise<{ connector: Connector; values: Values }> {
  for (const warning of warnings) log.warn?.('%s', warning);
  const given = expandValues(values, { flags, env, hide: log.hide });
  const expanded = mode.forPlugins?.(given) ?? given;
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
    pool: common.pool,
    ...mode.spread(expanded),
  });
  for (const endpoint of endpoints) connector.endpoint(endpoint);
  for (const plugin of plugins) connector.use(plugin, ownValues(plugin, expanded) as never);
  return { connector, values: expanded };
}

function milliseconds<K extends keyof Settings>(
  name: K,
  seconds: number | undefined,
): Pick<Settings, K> | {} {
  return seconds === undefined ? {} : { [name]: seconds * 1000 };
}

/** Hands a plugin the values of its own flags and no others. */
export function ownValues(plugin: Plugin, values: Values): Values {
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

/** Tells of the first two stop signals; a third is left to others, and ends the process at once. */
function watchSignals(around: Surroundings, signals: readonly StopSignal[], onstop: () => void): void {
  let count = 0;
  const onsignal = (): void => {
    count += 1;
    onstop();
    if (count === 2) for (const signal of signals) around.off(signal, onsignal);
  };
  for (const signal of signals) around.on(signal, onsignal);
}
