#!/usr/bin/env node
// Written in the syntax of ECMAScript 5, which every Node.js can read, so that an old one can say what is missing.
var version = process.versions.node.split('.').map(Number);
if (version[0] < 20 || (version[0] === 20 && version[1] < 19)) {
  process.stderr.write('mcp-connect needs Node.js 20.19 or newer; this is ' + process.versions.node + '.\n');
  process.exit(1);
}

var bundle = require('node:path').join(__dirname, '../dist/start');
require(bundle + '/cached-start.js').start(bundle, require, process.argv.slice(2));
