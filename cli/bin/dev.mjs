#!/usr/bin/env node
// The same program as run.js, from the compiled modules instead of the bundle: after `tsc -b` nothing else is needed.
import { start } from '../dist/command-line/start.js';

await start(process.argv.slice(2));
