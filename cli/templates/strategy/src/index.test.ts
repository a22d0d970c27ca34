import { testStrategy } from '@mcp-connect/testing';
import plugin from './index.js';

describe('x-plugin-name keeps the contract of a strategy', () => {
  testStrategy(it, { plugin });
});
