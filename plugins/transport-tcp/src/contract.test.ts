import { serveTcp, testTransport, transportOf } from '@mcp-connect/testing';
import tcp from './index.js';

describe('transport-tcp keeps the contract of a transport', () => {
  testTransport(it, { kind: transportOf(tcp, 'tcp', {}), serve: serveTcp });
});
