import { readFileSync } from 'node:fs';
import { ConnectorError, reasonOf } from '@mcp-connect/core';
import { parseHeader, type Header, type HeaderSource } from './parse.js';

const FLAG = 'headers-file';

/**
 * Reads a file with one `Name: value` a line. Empty lines and lines that begin with `#` are left out; variables are
 * replaced, and what one holds can only ever be a value.
 *
 * @throws ConnectorError `MCPC_USAGE` that names the line, but no value
 */
export function readHeadersFile(path: string, env: HeaderSource['env']): Header[] {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (cause) {
    throw new ConnectorError('MCPC_USAGE', `The file of --${FLAG} cannot be read: ${reasonOf(cause)}`, {
      cause,
      hint: `Give --${FLAG} the path of a readable file with one "Name: value" a line`,
    });
  }
  // Editors of Windows put a byte order mark in front.
  const lines = text.replace(/^\uFEFF/, '').split('\n');
  return lines.flatMap((line, index) => {
    if (/^\s*(#|$)/.test(line)) return [];
    const source = `line ${index + 1} of --${FLAG}`;
    return [parseHeader(line, { env, flag: FLAG, source, hint: 'Write one "Name: value" a line' })];
  });
}
