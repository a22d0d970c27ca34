import type { Writable } from 'node:stream';
import {
  createLog,
  expandVariables,
  LOG_LEVELS,
  writeLossy,
  type Log,
  type LogLevel,
  type LogRecord,
} from '@mcp-connect/core';
import type { Environment } from '../command-line/plain.js';
import type { CommonValues } from '../flags/flags.js';
import { LogFile } from './log-file.js';

/** The flags that the log depends on; commands that have no file to write to leave those out. */
export type LogValues = Pick<CommonValues, 'debug' | 'log-level'> &
  Partial<Pick<CommonValues, 'log-file' | 'log-format'>>;

/** Where a log goes beside its file. */
export interface OpenLogOptions {
  readonly stderr: Writable;
  readonly env: Environment;
  /** Gets every line as well, such as to show it to the client. */
  also?(record: LogRecord): void;
}

/**
 * Opens the log of this process: on stderr, in the file of `--log-file`, and wherever else the caller says. Every line
 * has been through the one redaction when it gets here.
 *
 * @throws ConnectorError `MCPC_USAGE` when the file cannot be written
 */
export function openLog(values: LogValues, { stderr, env, also }: OpenLogOptions): Log {
  const json = values['log-format'] === 'json';
  const path = values['log-file'];
  const file = path === undefined ? undefined : new LogFile(expandVariables(path, { flag: 'log-file', env }));
  return createLog({
    level: levelOf(values),
    debug: env['DEBUG'],
    write(record) {
      writeLossy(stderr, `${json ? asJson(record) : asText(record)}\n`);
      file?.write(json ? asJson(record) : `${new Date().toISOString()} ${asText(record)}`);
      also?.(record);
    },
  });
}

/** `--debug` asks for at least that much; `--log-level trace` beside it for more. */
function levelOf({ debug, 'log-level': level }: LogValues): LogLevel {
  return debug && LOG_LEVELS.indexOf(level) > LOG_LEVELS.indexOf('debug') ? 'debug' : level;
}

/** What a server says must neither steer a terminal nor look like another line of the log. */
function asText({ level, namespace, text }: LogRecord): string {
  const shown = text.replace(/[^\P{Cc}\t]/gu, (control) => JSON.stringify(control).slice(1, -1));
  return `${level} ${namespace}: ${shown}`;
}

function asJson({ level, namespace, text }: LogRecord): string {
  return JSON.stringify({ time: new Date().toISOString(), level, namespace, message: text });
}
