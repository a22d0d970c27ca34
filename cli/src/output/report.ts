import type { Writable } from 'node:stream';
import { ConnectorError, reasonOf, toConnectorError, type ErrorCode, type Log } from '@mcp-connect/core';

/** Exit codes: the command line or a plugin is at fault and trying again is pointless, or something else failed. */
const USAGE = 2;
const FAILURE = 1;

/** Errors at start that the user has to mend before trying again. */
const AT_FAULT = new Set<ErrorCode>(['MCPC_USAGE', 'MCPC_PLUGIN']);

/** How a failure is told to the user. */
export interface Report {
  /** One line, without a line ending. */
  readonly line: string;
  readonly exitCode: number;
}

/** Where values come from that are not on the command line: where the user is at fault, it may be there. */
export interface Sources {
  /** Environment variables that stood in for flags. */
  readonly variables: readonly string[];
  /** The configuration file. */
  readonly file?: string | undefined;
}

/** Words a failure as one line: what failed, then what to type next. */
export function reportOf(error: unknown, { variables, file }: Sources = { variables: [] }): Report {
  const ours = error instanceof ConnectorError;
  const hint = ours ? error.hint : undefined;
  const isMistake = ours && error.code === 'MCPC_USAGE';
  const origins = [
    variables.length > 0 ? `Taken from the environment: ${variables.join(', ')}` : undefined,
    file === undefined ? undefined : `Taken from a file: ${file}`,
  ];
  return {
    line: `mcp-connect: ${oneLine([reasonOf(error), hint, ...(isMistake ? origins : [])])}`,
    exitCode: ours && AT_FAULT.has(error.code) ? USAGE : FAILURE,
  };
}

/** Where a failure is told. */
export interface TellOptions {
  readonly stderr: Writable;
  readonly log: Log;
  /** Whose values may be at fault. */
  readonly invocation: Sources;
}

/**
 * Tells a failure of a command on stderr, without secrets.
 *
 * @returns the exit code
 */
export function tell(error: unknown, { stderr, log, invocation }: TellOptions): number {
  // What is no error of ours was thrown by a plugin while it was applied.
  const { line, exitCode } = reportOf(toConnectorError(error, 'MCPC_PLUGIN'), invocation);
  stderr.write(`${log.redact(line)}\n`);
  return exitCode;
}

/** Joins sentences, some of which may lack their full stop or run over several lines. */
function oneLine(sentences: readonly (string | undefined)[]): string {
  return sentences
    .flatMap((sentence) => sentence?.split('\n') ?? [])
    .map((line) => line.trim())
    .filter((line) => line !== '')
    .map((line, at, lines) => (at === lines.length - 1 || /[.:!?]$/.test(line) ? line : `${line}.`))
    .join(' ');
}
