#!/usr/bin/env node
// Written in a syntax that every Node.js with modules can read, so that an old one can say what is missing.
const [major, minor] = process.versions.node.split('.').map(Number);
if (major < 20 || (major === 20 && minor < 19)) {
  process.stderr.write(`mcp-connect needs Node.js 20.19 or newer; this is ${process.versions.node}.\n`);
  process.exit(1);
}

void import('../dist/start.mjs').then(({ start }) => start(process.argv.slice(2)));
