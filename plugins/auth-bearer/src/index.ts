import { ConnectorError, definePlugin } from '@mcp-connect/core';

const NAME = '@mcp-connect/auth-bearer';
const SCHEME = /^bearer\s+/i;
const VISIBLE = /^[\x21-\x7e]+$/;

/** Signs in with a fixed bearer token (RFC 6750 section 2.1). A header that another plugin set is left alone. */
export default definePlugin({
  name: NAME,
  flags: {
    'auth-token': {
      type: 'string',
      secret: true,
      env: 'MCP_CONNECT_AUTH_TOKEN',
      valueName: 'TOKEN',
      summary: 'Token to sign in with, sent as Authorization: Bearer TOKEN.',
    },
  },
  apply(connector, { 'auth-token': given }) {
    if (given === undefined) return;
    const token = tokenOf(given);
    connector.log.hide(token);
    connector.hooks.authenticate.tap(NAME, ({ headers }) => {
      headers['authorization'] ??= `Bearer ${token}`;
    });
  },
});

/** The token alone: blanks around it and a scheme in front of it come with copying. */
function tokenOf(given: string): string {
  const token = given.trim().replace(SCHEME, '');
  if (VISIBLE.test(token)) return token;
  const what =
    token === '' ? 'is empty' : 'holds a blank, a line break or a letter that a header cannot carry';
  throw new ConnectorError('MCPC_USAGE', `The token of --auth-token ${what}.`, {
    hint: 'Give the token alone with --auth-token TOKEN, or in the variable MCP_CONNECT_AUTH_TOKEN',
  });
}
