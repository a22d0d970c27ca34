import { serveHttp, testTransport, transportOf } from '@mcp-connect/testing';
import http from './index.js';

describe('transport-http keeps the contract of a transport', () => {
  testTransport(it, {
    kind: transportOf(http, 'http', { 'dns-server': undefined }),
    serve: serveHttp,
    // Each message is a request of its own: several are on their way at once, and connecting is part of sending.
    supports: { order: false, connect: false },
  });
});
