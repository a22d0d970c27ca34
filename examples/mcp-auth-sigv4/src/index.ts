import { ConnectorError, definePlugin } from '@mcp-connect/core';
import { signatureOf } from './sign.js';

const NAME = 'mcp-auth-sigv4';

/** Signs every HTTP request with AWS Signature Version 4. */
export default definePlugin({
  name: NAME,
  core: '^0.1.0',
  provides: { hooks: ['authenticate'] },
  flags: {
    'sigv4-region': {
      type: 'string',
      env: 'AWS_REGION',
      valueName: 'REGION',
      summary: 'Region of the service, such as us-east-1. Requests are signed where it is given.',
    },
    'sigv4-service': {
      type: 'string',
      env: 'MCP_AUTH_SIGV4_SERVICE',
      valueName: 'NAME',
      default: 'execute-api',
      summary: 'Name of the service in signatures.',
    },
    'sigv4-access-key-id': {
      type: 'string',
      env: 'AWS_ACCESS_KEY_ID',
      valueName: 'ID',
      summary: 'Id of the access key.',
    },
    'sigv4-secret-access-key': {
      type: 'string',
      secret: true,
      env: 'AWS_SECRET_ACCESS_KEY',
      valueName: 'KEY',
      summary: 'The access key itself.',
    },
    'sigv4-session-token': {
      type: 'string',
      secret: true,
      env: 'AWS_SESSION_TOKEN',
      valueName: 'TOKEN',
      summary: 'Token that comes with a temporary access key.',
    },
  },
  apply({ hooks, log }, options) {
    const {
      'sigv4-region': region,
      'sigv4-service': service,
      'sigv4-access-key-id': accessKeyId,
      'sigv4-secret-access-key': secretAccessKey,
      'sigv4-session-token': sessionToken,
    } = options;
    if (region === undefined) return;
    if (accessKeyId === undefined || secretAccessKey === undefined) {
      throw new ConnectorError('MCPC_USAGE', '--sigv4-region is given without an access key.', {
        hint: 'Give AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY in the environment',
      });
    }
    log.hide(secretAccessKey, sessionToken);
    const key = { region, service, accessKeyId, secretAccessKey, sessionToken };

    hooks.authenticate.tap(NAME, (credentials) => {
      const others = credentials.prove;
      // A signature covers address and body, so it is made anew for every request on the wire.
      credentials.prove = (request) => {
        const more = others?.(request);
        const headers = { ...request.headers, ...more };
        if (headers['authorization'] !== undefined) return more ?? {};
        return { ...more, ...signatureOf({ ...request, headers }, { ...key, date: new Date() }) };
      };
    });
  },
});
