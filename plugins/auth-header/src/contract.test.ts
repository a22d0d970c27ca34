import { testAuth } from '@mcp-connect/testing';
import header from './index.js';

describe('auth-header keeps the contract of a plugin that signs in', () => {
  testAuth(it, {
    plugin: header,
    options: () => ({ 'api-key': 'key-1234', headers: ['X-Team: team-5678'] }),
    accepts: ({ headers }) => headers['x-api-key'] === 'key-1234' && headers['x-team'] === 'team-5678',
    secrets: ['key-1234', 'team-5678'],
  });
});
