import { constants } from 'node:os';
import { ConnectorError, type Log } from '@mcp-connect/core';
import type { CommonValues, Values } from '../flags/flags.js';
import { forwardProxyFor, type ForwardProxy } from '../network/forward.js';
import { consoleToStderr } from '../output/console.js';
import { openLog } from '../output/log-sinks.js';
import { showProgress, type Progress } from '../output/progress.js';
import { tell } from '../output/report.js';
import { prepare, STOP_SIGNALS, type Invocation, type Surroundings } from '../serve/proxy.js';
import type { ToolCall } from './call.js';
import { check, type CheckOptions, type CheckReport } from './check.js';
import { Opened } from './opened.js';
import { tableOf } from './table.js';
import { typedLine } from './typed.js';

/** What shells add to the number of the signal that ended a program. */
const SIGNALLED = 128;

/** What a command that looks at servers needs of its process. */
export type CheckSurroundings = Pick<Surroundings, 'stderr' | 'env'> & {
  readonly stdout: Surroundings['stdout'] & { readonly isTTY?: boolean; readonly columns?: number };
  once(signal: StopSignal, listener: () => void): unknown;
};

type StopSignal = (typeof STOP_SIGNALS)[number];

/** Who asks, and in what surroundings. */
export interface RunCheckOptions {
  readonly around: CheckSurroundings;
  readonly version: string;
}

/**
 * Runs `mcp-connect test`: what is found goes to stdout, everything else to stderr.
 *
 * @returns the exit code
 * @throws ConnectorError `MCPC_USAGE` when the log file cannot be written
 */
export async function runTest(invocation: Invocation, options: RunCheckOptions): Promise<number> {
  return reported(invocation, options, async (log, { progress, opened }) => {
    const { around } = options;
    const { json, call, args } = invocation.values as { json: boolean; call?: string; args: string };
    const asked = toolCall(call, args);
    const what = { depth: 'everything', ...(asked !== undefined && { call: asked }) } as const;
    const report = await examine(invocation, log, { ...options, what, opened, onstep: progress.say });
    return { ok: report.ok, text: json ? `${JSON.stringify(report, null, 2)}\n` : shown(report, around) };
  });
}

/** What is looked at, and who keeps hold of what is opened for it. */
export interface ExamineOptions extends RunCheckOptions, Pick<CheckOptions, 'onstep'> {
  readonly what: Pick<CheckOptions, 'depth' | 'call'>;
  readonly opened: Opened;
  /** Which server of the configuration file it is, where the line picks none. */
  readonly server?: string;
}

/**
 * Checks the first endpoint of a command line.
 *
 * @throws ConnectorError `MCPC_USAGE` when the command line is at fault
 */
export async function examine(
  invocation: Invocation,
  log: Log,
  { around: { env }, version, what, opened, server, onstep }: ExamineOptions,
): Promise<CheckReport> {
  const { connector, values } = await prepare(invocation, log, env);
  connector.use(opened.plugin());
  const { proxy, 'no-proxy': noProxy } = values as Values & CommonValues;
  const proxyFor = (url: URL): ForwardProxy | undefined => forwardProxyFor(url, { proxy, noProxy, env });
  return check({
    connector,
    log,
    clientInfo: { name: 'mcp-connect', version },
    proxyFor,
    line: typedLine(invocation, connector.endpoints[0]!, server),
    ...what,
    ...(onstep && { onstep }),
  });
}

/** What a command has to say. */
export interface Result {
  /** Whether all is well: the exit code is 0 then, else 1. */
  readonly ok: boolean;
  /** For stdout. */
  readonly text: string;
}

/** What the work of a command goes on with. */
export interface Working {
  readonly progress: Progress;
  readonly opened: Opened;
}

/**
 * Does the work of a command with a log of its own, shows how it goes and writes the result to stdout; what it throws
 * is told on stderr. Nothing that was opened is left behind, also when a signal asks to stop; a second one ends the
 * process at once.
 *
 * @returns the exit code
 */
export async function reported(
  invocation: Invocation,
  { around }: RunCheckOptions,
  work: (log: Log, working: Working) => Promise<Result>,
): Promise<number> {
  const { stdout, stderr, env } = around;
  // stdout is for the result: someone may read it by program.
  consoleToStderr();
  const { values } = invocation;
  const log = openLog(values as Values & CommonValues, { stderr, env });
  const progress = await showProgress('Starting', { stderr, env, json: values['json'] === true });
  const opened = new Opened();
  const stopped = new Promise<StopSignal>((resolve) => {
    for (const signal of STOP_SIGNALS) around.once(signal, () => resolve(signal));
  });
  try {
    const result = await Promise.race([work(log, { progress, opened }), stopped]);
    progress.done();
    if (typeof result === 'string') return SIGNALLED + constants.signals[result];
    stdout.write(result.text);
    return result.ok ? 0 : 1;
  } catch (error) {
    progress.done();
    return tell(error, { stderr, log, invocation });
  } finally {
    await opened.close();
  }
}

function shown(report: CheckReport, { stdout, env }: CheckSurroundings): string {
  const result = report.call === undefined ? '' : `\n${JSON.stringify(report.call, null, 2)}\n`;
  return tableOf(report, styleFor(stdout, env)) + result;
}

/**
 * Colours and cut lines are for people at a terminal who did not ask for none (https://no-color.org); `FORCE_COLOR`
 * brings colours elsewhere, too, as it does with Node.js itself.
 */
export function styleFor(
  stdout: CheckSurroundings['stdout'],
  env: CheckSurroundings['env'],
): { colour: boolean; width: number | undefined } {
  const terminal = stdout.isTTY === true;
  const { FORCE_COLOR: forced, NO_COLOR: none, TERM: term } = env;
  const colour =
    forced === undefined ? terminal && !none && term !== 'dumb' : forced !== '0' && forced !== 'false';
  return { colour, width: terminal ? stdout.columns : undefined };
}

function toolCall(tool: string | undefined, args: string): ToolCall | undefined {
  const hint = `Write for example --call echo --args '{"text": "hello"}'`;
  let parsed: unknown;
  try {
    parsed = JSON.parse(args);
  } catch (cause) {
    throw new ConnectorError('MCPC_USAGE', '--args is not valid JSON.', { cause, hint });
  }
  if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed))
    throw new ConnectorError('MCPC_USAGE', '--args is no JSON object.', { hint });
  if (tool === undefined && Object.keys(parsed).length > 0)
    throw new ConnectorError('MCPC_USAGE', '--args is given without --call.', { hint });
  return tool === undefined ? undefined : { tool, args: parsed as ToolCall['args'] };
}
