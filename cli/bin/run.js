#!/usr/bin/env node
// Written so that every Node.js that knows modules can read it, and say what is missing.
var version = process.versions.node.split('.').map(Number);
if (version[0] < 20 || (version[0] === 20 && version[1] < 19)) {
  console.error('mcp-connect needs Node.js 20.19 or newer; this is ' + process.versions.node + '.');
  process.exit(1);
}

import('../dist/start.js').then(function (module) {
  return module.start(process.argv.slice(2));
});
