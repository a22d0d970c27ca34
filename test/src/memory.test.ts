import { memoryTransport } from './memory.js';
import { testTransport } from './transport.js';

describe('memoryTransport', () => {
  testTransport(it, memoryTransport());
});
