import { createRequire } from 'node:module';
import { format } from 'node:util';

/** Log levels from the most to the least talkative. */
export const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error'] as const;

/** One of {@link LOG_LEVELS}. */
export type LogLevel = (typeof LOG_LEVELS)[number];

/** Writes one log line; the arguments are those of `util.format`. */
export type LogLine = (text: string, ...values: unknown[]) => void;

/**
 * Writes log lines of one namespace. A level that is off is undefined, so `log.debug?.('…', costly())` costs nothing
 * while it is off.
 */
export interface Log extends Readonly<Partial<Record<LogLevel, LogLine>>> {
  /** Makes a log whose namespace is this one's followed by `name`. */
  child(name: string): Log;
  /**
   * Names values that no line may ever show, neither as they are nor in percent-encoding, Base64 or a JSON text. Values
   * shorter than four characters are not hidden.
   */
  hide(...secrets: readonly (string | undefined)[]): void;
  /** Replaces every hidden value in `text`. */
  redact(text: string): string;
}

/** One log line as a sink gets it, already redacted. */
export interface LogRecord {
  readonly namespace: string;
  readonly level: LogLevel;
  readonly text: string;
}

/** What a log is made from. */
export interface LogOptions {
  readonly level: LogLevel;
  /** Takes each finished line. */
  write(record: LogRecord): void;
  /** The value of the `DEBUG` variable; a namespace that matches it logs everything. */
  readonly debug?: string | undefined;
}

const ROOT = 'mcp-connect';
const SHORTEST_SECRET = 4;
const HIDDEN = '[hidden]';

/** Makes the log of this process. Every line goes through one redaction, whatever its level or namespace. */
export function createLog(options: LogOptions): Log {
  /** The longest first, so that a secret which is a part of another one does not leave the rest of it behind. */
  let secrets: readonly string[] = [];
  const redact = (text: string): string => {
    let shown = text;
    for (const secret of secrets) if (shown.includes(secret)) shown = shown.replaceAll(secret, HIDDEN);
    return shown;
  };
  const hide = (...values: readonly (string | undefined)[]): void => {
    const named = new Set(secrets);
    for (const value of values) {
      if (value === undefined || value.length < SHORTEST_SECRET) continue;
      for (const form of formsOf(value)) named.add(form);
    }
    secrets = [...named].sort((a, b) => b.length - a.length);
  };
  const matches = namespaceFilter(options.debug);

  const make = (namespace: string): Log => {
    const lowest = matches(namespace) ? 0 : LOG_LEVELS.indexOf(options.level);
    const lines: Partial<Record<LogLevel, LogLine>> = {};
    for (const level of LOG_LEVELS.slice(lowest)) {
      lines[level] = (text, ...values) =>
        options.write({ namespace, level, text: redact(format(text, ...values)) });
    }
    return { ...lines, child: (name) => make(`${namespace}:${name}`), hide, redact };
  };
  return make(ROOT);
}

/** A secret as it is, and as it may stand in an address, a header or a message. */
function formsOf(secret: string): string[] {
  const percent = percentEncoded(secret);
  const bytes = Buffer.from(secret);
  const forms = [
    secret,
    percent,
    percent.replaceAll(/%[0-9A-F]{2}/g, (code) => code.toLowerCase()),
    // Without the padding, which is not always written.
    bytes.toString('base64').replace(/=+$/, ''),
    bytes.toString('base64url'),
    JSON.stringify(secret).slice(1, -1),
  ];
  return [...new Set(forms)];
}

/** A half of a character that takes two, which no address can hold, is left as it is. */
function percentEncoded(text: string): string {
  try {
    return encodeURIComponent(text);
  } catch {
    return text;
  }
}

/** Loads `debug` only when its variable is set: it costs more than the rest of this module together. */
function namespaceFilter(variable: string | undefined): (namespace: string) => boolean {
  if (!variable) return () => false;
  const debug = createRequire(import.meta.url)('debug') as typeof import('debug');
  debug.enable(variable);
  return (namespace) => debug.enabled(namespace);
}
