import { ConnectorError } from '@mcp-connect/core';

/** What a clean environment keeps: enough to find programs, the user and a place for temporary files. */
const KEPT = new Set(['HOME', 'LANG', 'LOGNAME', 'PATH', 'SHELL', 'TERM', 'TMPDIR', 'USER']);

/** The same for Windows, where the case of names does not count. */
const KEPT_ON_WINDOWS = new Set(
  'APPDATA COMSPEC HOMEDRIVE HOMEPATH LOCALAPPDATA PATH PATHEXT PROCESSOR_ARCHITECTURE PROGRAMFILES SYSTEMDRIVE SYSTEMROOT TEMP TMP USERNAME USERPROFILE WINDIR'.split(
    ' ',
  ),
);

/** Our own settings, tokens among them, are none of the program's business. */
const OWN = /^MCP_CONNECT_/i;

/** Names of variables whose values are worth hiding from logs. */
const SECRET = /key|token|secret|pass|auth|credential/i;

/** How the environment of a program differs from ours. */
export interface EnvironmentOptions {
  /** Variables to set, each as `NAME=VALUE`. */
  readonly set: readonly string[];
  /** Keeps only what every program needs. */
  readonly clean: boolean;
  /** The system; this one where not given. */
  readonly platform?: NodeJS.Platform;
}

/** The environment of a program. */
export interface Environment {
  readonly env: NodeJS.ProcessEnv;
  /** Values among those set that look like secrets, by their names. */
  readonly secrets: readonly string[];
}

/**
 * Makes the environment of a program out of ours.
 *
 * @throws ConnectorError `MCPC_USAGE` when a variable is not of the form `NAME=VALUE`
 */
export function environmentOf(
  own: NodeJS.ProcessEnv,
  { set, clean, platform = process.platform }: EnvironmentOptions,
): Environment {
  const windows = platform === 'win32';
  // Of two names that differ in case alone, Windows would take either.
  const plain = (name: string): string => (windows ? name.toUpperCase() : name);
  const needed = windows ? KEPT_ON_WINDOWS : KEPT;
  const added = set.map(readVariable);
  const replaced = new Set(added.map(([name]) => plain(name)));
  const kept = Object.entries(own).filter(
    ([name]) => !replaced.has(plain(name)) && (clean ? needed.has(plain(name)) : !OWN.test(name)),
  );
  return {
    env: Object.fromEntries([...kept, ...added]),
    secrets: added.filter(([name]) => SECRET.test(name)).map(([, value]) => value),
  };
}

function readVariable(text: string): [name: string, value: string] {
  const end = text.indexOf('=');
  if (end > 0) return [text.slice(0, end), text.slice(end + 1)];
  // The text is not shown: it may be a secret whose name was forgotten.
  throw new ConnectorError('MCPC_USAGE', 'A value of --stdio-env has no name before an equals sign.', {
    hint: 'Write it as --stdio-env NAME=VALUE',
  });
}
