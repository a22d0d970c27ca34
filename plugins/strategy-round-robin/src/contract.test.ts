import { testStrategy } from '@mcp-connect/testing';
import roundRobin from './index.js';

describe('strategy-round-robin keeps the contract of a strategy', () => {
  testStrategy(it, { plugin: roundRobin });
});
