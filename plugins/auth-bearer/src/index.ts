import {
  ConnectorError,
  definePlugin,
  splitCommand,
  type FlagValues,
  type Registry,
} from '@mcp-connect/core';
import { TokenCommand } from './command.js';
import { TokenFile } from './file.js';
import { tokenIn, type TokenSource } from './token.js';

const NAME = '@mcp-connect/auth-bearer';
const SCHEME = 'Bearer ';

const FLAGS = {
  'auth-token': {
    type: 'string',
    secret: true,
    env: 'MCP_CONNECT_AUTH_TOKEN',
    valueName: 'TOKEN',
    summary: 'Token to sign in with, sent as Authorization: Bearer TOKEN.',
  },
  'auth-token-file': {
    type: 'string',
    path: true,
    env: 'MCP_CONNECT_AUTH_TOKEN_FILE',
    valueName: 'FILE',
    summary:
      'File that holds the token. It is read again when it changes, and when the server refuses the token.',
  },
  'auth-token-command': {
    type: 'string',
    env: 'MCP_CONNECT_AUTH_TOKEN_COMMAND',
    valueName: 'COMMAND',
    summary:
      'Command that prints the token. It is run when first needed, and when the server refuses the token.',
  },
} as const;

/** Signs in with a bearer token (RFC 6750 section 2.1). A header that another plugin set is left alone. */
export default definePlugin({
  name: NAME,
  provides: { hooks: ['authenticate'] },
  flags: FLAGS,
  apply(connector, options) {
    const source = sourceOf(options, connector);
    if (source === undefined) return;
    connector.hooks.authenticate.tap(NAME, (credentials) => {
      const { headers, challenge, refused } = credentials;
      if (headers['authorization'] !== undefined) return undefined;
      const sign = (token: string): void => void (headers['authorization'] = SCHEME + token);
      const token =
        challenge === undefined
          ? source.token()
          : source.renew(refused?.['authorization']?.slice(SCHEME.length));
      return typeof token === 'string' ? sign(token) : token.then(sign);
    });
  },
});

/** The one place that the token comes from; undefined where none is named. */
function sourceOf(options: FlagValues<typeof FLAGS>, { log, settings }: Registry): TokenSource | undefined {
  const given = Object.keys(FLAGS).filter((flag) => options[flag as keyof typeof FLAGS] !== undefined);
  if (given.length > 1) {
    throw new ConnectorError('MCPC_USAGE', `Both --${given[0]} and --${given[1]} are given.`, {
      hint: 'Leave one of them out; environment variables such as MCP_CONNECT_AUTH_TOKEN count as well',
    });
  }
  const { 'auth-token': text, 'auth-token-file': path, 'auth-token-command': command } = options;
  if (text !== undefined) {
    const token = tokenIn(text, { flag: 'auth-token', code: 'MCPC_USAGE' });
    log.hide(token);
    return { token: () => token, renew: () => token };
  }
  if (path !== undefined) return new TokenFile(path, log);
  if (command === undefined) return undefined;
  const words = splitCommand(command, { source: '--auth-token-command' });
  if (words.length > 0) return new TokenCommand(words, { log, settings });
  throw new ConnectorError('MCPC_USAGE', 'The command of --auth-token-command is empty.', {
    hint: 'Name a program that prints a token, for example --auth-token-command "gh auth token"',
  });
}
