// The conformance server as a local program of one era: `--era legacy`, or `--era modern`.
import { parseArgs } from 'node:util';
import { serveStdio, StdioServerTransport } from '@modelcontextprotocol/server/stdio';
import { createEverything, surroundings } from './everything.js';

const { values } = parseArgs({ options: { era: { type: 'string' } } });
const around = surroundings();
if (values.era === 'modern') serveStdio(() => createEverything(around), { legacy: 'reject' });
else await createEverything(around).connect(new StdioServerTransport());
