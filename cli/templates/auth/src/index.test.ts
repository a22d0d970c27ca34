import { testAuth } from '@mcp-connect/testing';
import plugin from './index.js';

describe('x-plugin-name keeps the contract of a plugin that signs in', () => {
  testAuth(it, {
    plugin,
    options: () => ({ 'x-prefix-key': 'a-secret-key' }),
    accepts: ({ headers }) => headers['x-key'] === 'a-secret-key',
    secrets: ['a-secret-key'],
  });
});
