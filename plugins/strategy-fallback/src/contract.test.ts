import { testStrategy } from '@mcp-connect/testing';
import fallback from './index.js';

describe('strategy-fallback keeps the contract of a strategy', () => {
  testStrategy(it, {
    plugin: fallback,
    setup: ([first, ...others]) => ({ endpoints: [first!], options: { fallbacks: others.join(',') } }),
  });
});
