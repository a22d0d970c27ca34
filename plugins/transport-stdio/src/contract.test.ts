import { serveStdio, testTransport, transportOf } from '@mcp-connect/testing';
import stdio from './index.js';

describe('transport-stdio keeps the contract of a transport', () => {
  testTransport(it, {
    kind: transportOf(stdio, 'stdio', {
      'stdio-env': [],
      'stdio-clean-env': false,
      'stdio-cwd': undefined,
    }),
    serve: serveStdio,
    // A program starts although nobody serves behind it.
    supports: { refuse: false },
  });
});
