import { readFileSync, statSync } from 'node:fs';
import { extname } from 'node:path';
import { ConnectorError, reasonOf } from '@mcp-connect/core';
import { findNodeAtLocation, parseTree, printParseErrorCode, type Node, type ParseError } from 'jsonc-parser';
import { jsonValue, worded } from './json.js';
import { isMap, isNode, parseDocument, type Document } from 'yaml';

/** The largest file that is read, in bytes. */
const LARGEST = 256 * 1024;

/** How many nodes the aliases of a file may unfold into for each one written, so that a few lines cannot fill the memory. */
const MOST_ALIASES = 100;

const QUOTES = 'Put quotes around a text that holds : { [ # or ${NAME}';
const TWICE = 'This key is there twice.';

/** The names and indices that lead to a value in a file. */
export type Path = readonly (string | number)[];

/** A file that was read, with the place of everything in it. */
export interface ConfigDocument {
  readonly path: string;
  readonly value: unknown;
  /** Finds where a value, or the key before it, begins; what was not found begins where the thing around it does. */
  offset(path: Path, part: 'key' | 'value'): number;
  /** Makes the error of a mistake at an offset. */
  mistake(offset: number, message: string, hint?: string): ConnectorError;
}

/** What a format finds in a text. */
type Parsed = Pick<ConfigDocument, 'value' | 'offset'>;

/** Makes the error of a mistake at an offset of the text. */
type Mistake = ConfigDocument['mistake'];

const PARSERS: Readonly<Record<string, (text: string, mistake: Mistake) => Parsed>> = {
  '.json': parseJson,
  '.yaml': parseYaml,
  '.yml': parseYaml,
};

/**
 * Reads a file of JSON, with comments, or of YAML, as its name says. Nothing of the text is ever shown in an error: it
 * may be a secret.
 *
 * @throws ConnectorError `MCPC_USAGE` that names the file, and the line and column where the text is at fault
 */
export function readDocument(path: string): ConfigDocument {
  const parse = PARSERS[extname(path).toLowerCase()];
  if (parse === undefined) {
    throw new ConnectorError('MCPC_USAGE', `${path} does not say in which format it is.`, {
      hint: 'Name it with .yaml, .yml or .json at the end',
    });
  }
  const text = readText(path);
  const mistake: Mistake = (offset, message, hint) => {
    const before = text.slice(0, offset).split('\n');
    const place = `${path}:${before.length}:${before.at(-1)!.length + 1}`;
    return new ConnectorError('MCPC_USAGE', `${place}: ${message}`, hint === undefined ? {} : { hint });
  };
  return { path, mistake, ...parse(text, mistake) };
}

function readText(path: string): string {
  const hint = 'Give --config the path of a YAML or JSON file';
  let bytes: Buffer;
  try {
    const stats = statSync(path);
    if (!stats.isFile()) {
      const what = stats.isDirectory() ? 'is a folder' : 'is no regular file';
      throw new ConnectorError('MCPC_USAGE', `${path} ${what}.`, { hint });
    }
    if (stats.size > LARGEST) {
      throw new ConnectorError('MCPC_USAGE', `${path} is larger than ${LARGEST} bytes.`, { hint });
    }
    bytes = readFileSync(path);
  } catch (cause) {
    if (cause instanceof ConnectorError) throw cause;
    throw new ConnectorError('MCPC_USAGE', `The file of --config cannot be read: ${reasonOf(cause)}`, {
      cause,
      hint,
    });
  }
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new ConnectorError('MCPC_USAGE', `${path} is no text in UTF-8.`, {
      cause,
      hint: 'Save it as UTF-8',
    });
  }
}

function parseJson(text: string, mistake: Mistake): Parsed {
  const errors: ParseError[] = [];
  const root = unfailing(
    () => parseTree(text, errors, { allowTrailingComma: true }),
    () => mistake(0, 'The file is nested too deeply.'),
  );
  const [error] = errors;
  if (root === undefined || error !== undefined) {
    const what = error === undefined ? 'nothing is there' : worded(printParseErrorCode(error.error));
    throw mistake(error?.offset ?? 0, `This is no valid JSON: ${what}.`);
  }
  checkKeys(root, mistake);
  return {
    value: jsonValue(root),
    offset: (path, part) => jsonOffset(root, path, part),
  };
}

/** A key that is there twice would have one of its values without a word. */
function checkKeys(node: Node, mistake: Mistake): void {
  const keys = new Set<unknown>();
  for (const child of node.children ?? []) {
    const key: unknown = node.type === 'object' ? child.children?.[0]?.value : undefined;
    if (key !== undefined && keys.has(key)) throw mistake(child.offset, TWICE, 'Take one of the two out');
    keys.add(key);
    checkKeys(child, mistake);
  }
}

function jsonOffset(root: Node, path: Path, part: 'key' | 'value'): number {
  const node = findNodeAtLocation(root, [...path]);
  if (node === undefined) return path.length === 0 ? 0 : jsonOffset(root, path.slice(0, -1), part);
  return part === 'key' && node.parent?.type === 'property' ? node.parent.offset : node.offset;
}

function parseYaml(text: string, mistake: Mistake): Parsed {
  const document = unfailing(
    () => parseDocument(text, { prettyErrors: false }),
    () => mistake(0, 'The file is nested too deeply.'),
  );
  const [error] = [...document.errors, ...document.warnings];
  if (error?.code === 'DUPLICATE_KEY') throw mistake(error.pos[0], TWICE, 'Take one of the two out');
  if (error !== undefined) {
    // Behind a colon stands a piece of the text.
    throw mistake(error.pos[0], `This is no valid YAML: ${error.message.split(/[:;]/, 1)[0]}.`, QUOTES);
  }
  const value: unknown = unfailing(
    () => document.toJS({ maxAliasCount: MOST_ALIASES }) as unknown,
    () =>
      mistake(0, 'An alias (*name) has no anchor, or the aliases unfold into too much.', 'Write it without'),
  );
  return { value, offset: (path, part) => yamlOffset(document, path, part) };
}

function yamlOffset(document: Document, path: Path, part: 'key' | 'value'): number {
  if (path.length === 0) return document.contents?.range?.[0] ?? 0;
  const around: unknown = path.length === 1 ? document.contents : document.getIn(path.slice(0, -1), true);
  const pair = isMap(around)
    ? around.items.find(({ key }) => isNode(key) && String(key) === String(path.at(-1)))
    : undefined;
  const node: unknown = part === 'key' && pair !== undefined ? pair.key : document.getIn(path, true);
  const start = isNode(node) ? node.range?.[0] : undefined;
  return start ?? yamlOffset(document, path.slice(0, -1), part);
}

/** Parsers throw at what they cannot cope with; then all that can be told is that they did. */
function unfailing<T>(work: () => T, failure: () => ConnectorError): T {
  try {
    return work();
  } catch {
    throw failure();
  }
}
