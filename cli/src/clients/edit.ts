import { ConnectorError } from '@mcp-connect/core';
import { findNodeAtLocation, parseTree, printParseErrorCode, type Node, type ParseError } from 'jsonc-parser';
import { isDeepStrictEqual } from 'node:util';
import { closest } from '../command-line/suggest.js';
import { jsonValue, worded } from '../config/json.js';
import { addMember, removeMember, replaceValue } from './splice.js';

/** Where an entry is in the settings of a client. */
export interface EntryPlace {
  /** The file, for messages. */
  readonly file: string;
  /** The member that holds the servers. */
  readonly key: string;
  /** The name of the entry. */
  readonly name: string;
}

/** What becomes of an entry that is there already. */
export interface PutOptions extends EntryPlace {
  readonly entry: object;
  readonly force: boolean;
}

/** Notepad and PowerShell put it in front. */
const MARK = '\uFEFF';

/**
 * Puts an entry into the text of a settings file: JSON, perhaps with comments, which stay where they are. A text without
 * anything in it is taken for a new file.
 *
 * @returns the new text; the same text when the entry is there as it is
 * @throws ConnectorError `MCPC_USAGE` with line and column when the text is no JSON object, or when another entry has
 *   the name and is not to be replaced
 */
export function putEntry(text: string, { file, key, name, entry, force }: PutOptions): string {
  if (text.replace(MARK, '').trim() === '')
    return `${JSON.stringify({ [key]: { [name]: entry } }, null, 2)}\n`;
  const { mark, body, root, servers, existing } = find(text, { file, key, name });
  if (existing !== undefined && isDeepStrictEqual(jsonValue(existing), entry)) return text;
  if (existing !== undefined && !force) {
    throw new ConnectorError('MCPC_USAGE', `${file} has an entry ${name} already, which is another one.`, {
      hint: 'Replace it with --force, or give another --name',
    });
  }
  if (existing !== undefined) return mark + replaceValue(body, existing, { value: entry, level: 2 });
  if (servers !== undefined) return mark + addMember(body, servers, { name, value: entry, level: 2 });
  return mark + addMember(body, root, { name: key, value: { [name]: entry }, level: 1 });
}

/**
 * Takes an entry out of the text of a settings file.
 *
 * @throws ConnectorError `MCPC_USAGE` with line and column when the text is no JSON object, or when there is no such
 *   entry
 */
export function takeEntry(text: string, place: EntryPlace): string {
  const { file, name } = place;
  const { mark, body, servers, existing } = find(text, place);
  if (existing === undefined) {
    const names = (servers?.children ?? []).map(({ children }) => String(children![0]!.value));
    const near = closest(name, names);
    const known = names.length === 0 ? 'There are none' : `There are ${names.join(', ')}`;
    throw new ConnectorError('MCPC_USAGE', `${file} has no entry ${name}.`, {
      hint: near === undefined ? known : `Did you mean --name ${near}?`,
    });
  }
  return mark + removeMember(body, servers!, existing.parent!);
}

interface Found {
  /** What some editors put in front. */
  readonly mark: string;
  /** The rest of the text. */
  readonly body: string;
  readonly root: Node;
  /** The member that holds the servers. */
  readonly servers: Node | undefined;
  readonly existing: Node | undefined;
}

function find(text: string, { file, key, name }: EntryPlace): Found {
  const mark = text.startsWith(MARK) ? MARK : '';
  const body = text.slice(mark.length);
  const fault = (offset: number, message: string): ConnectorError => {
    const before = body.slice(0, offset).split('\n');
    const place = `${file}:${before.length}:${before.at(-1)!.length + 1}`;
    return new ConnectorError('MCPC_USAGE', `${place}: ${message}`, {
      hint: 'Mend the file first; nothing was written',
    });
  };
  const errors: ParseError[] = [];
  const root = parseTree(body, errors, { allowTrailingComma: true });
  const [error] = errors;
  if (error !== undefined)
    throw fault(error.offset, `This is no valid JSON: ${worded(printParseErrorCode(error.error))}.`);
  if (root?.type !== 'object') throw fault(root?.offset ?? 0, 'The settings are no JSON object.');
  const servers = member(root, key, fault);
  if (servers !== undefined && servers.type !== 'object')
    throw fault(servers.offset, `${key} is no JSON object.`);
  const existing = servers && member(servers, name, fault);
  return { mark, body, root, servers, existing };
}

/** A member that is there twice could not be changed so that every client sees it. */
function member(
  object: Node,
  name: string,
  fault: (offset: number, message: string) => ConnectorError,
): Node | undefined {
  const all = (object.children ?? []).filter(({ children }) => children![0]!.value === name);
  if (all.length > 1) throw fault(all[1]!.offset, `${name} is there twice.`);
  return findNodeAtLocation(object, [name]);
}
