import { applyEdits, createScanner, type Edit, type Node } from 'jsonc-parser';

/** A member to write into a text. */
export interface Member {
  readonly name: string;
  readonly value: unknown;
  /** How deep it is: 1 for those of the outermost object. */
  readonly level: number;
}

/** Behind a member: a comma, perhaps, and a note about it. */
const REST_OF_LINE = /[ \t]*(,)?[ \t]*(?:\/\/[^\r\n]*|\/\*[^\r\n]*?\*\/[ \t]*)?(?=\r?\n)/y;

/**
 * Adds a member behind the last one of an object. Unlike the library's own change, it leaves the lines around it as they
 * are written.
 */
export function addMember(text: string, object: Node, member: Member): string {
  const { eol, unit } = styleOf(text);
  const { name, value, level } = member;
  const lines = `${eol}${unit.repeat(level)}${JSON.stringify(name)}: ${pretty(text, value, level)}`;
  const last = object.children?.at(-1);
  const end = endOf(last) ?? object.offset + 1;
  REST_OF_LINE.lastIndex = end;
  const rest = REST_OF_LINE.exec(text);
  const hasComma = last !== undefined && nextToken(text, end).text === ',';
  // Nothing but blanks up to the closing brace: it goes onto a line of its own.
  const closing = /^[ \t]*\}/.test(text.slice(end)) ? `${eol}${unit.repeat(level - 1)}` : '';
  if (rest === null)
    return spliced(text, end, `${last === undefined || hasComma ? '' : ','}${lines}${closing}`);
  const comma = last === undefined || hasComma ? [] : [{ offset: end, length: 0, content: ',' }];
  const added = { offset: end + rest[0].length, length: 0, content: lines + (hasComma ? ',' : '') };
  return applyEdits(text, [...comma, added]);
}

/** Puts another value in the place of one. */
export function replaceValue(text: string, node: Node, { value, level }: Omit<Member, 'name'>): string {
  return applyEdits(text, [
    { offset: node.offset, length: node.length, content: pretty(text, value, level) },
  ]);
}

/** Takes a member out of an object, with its comma and its line; notes beside it stay. */
export function removeMember(text: string, object: Node, property: Node): string {
  const members = object.children ?? [];
  const previous = members[members.indexOf(property) - 1];
  const end = endOf(property)!;
  const after = nextToken(text, end);
  const isLast = after.text !== ',';
  const before = isLast && previous !== undefined ? nextToken(text, endOf(previous)!) : undefined;
  const edits: Edit[] = before === undefined ? [] : [{ offset: before.offset, length: 1, content: '' }];
  return applyEdits(text, [...edits, lineAround(text, property.offset, isLast ? end : after.offset + 1)]);
}

/** Cuts a range out, and its line with it where nothing else is on it. */
function lineAround(text: string, start: number, end: number): Edit {
  const lineStart = text.lastIndexOf('\n', start - 1) + 1;
  const isAlone = text.slice(lineStart, start).trim() === '' && lineStart > 0;
  const rest = /^[ \t]*\r?\n/.exec(text.slice(end))?.[0].length;
  if (isAlone && rest !== undefined)
    return { offset: lineStart, length: end + rest - lineStart, content: '' };
  return { offset: start, length: end - start, content: '' };
}

function pretty(text: string, value: unknown, level: number): string {
  const { eol, unit } = styleOf(text);
  return JSON.stringify(value, null, unit).replaceAll('\n', `${eol}${unit.repeat(level)}`);
}

/** How lines of a text end, and how far they are indented. */
function styleOf(text: string): { eol: string; unit: string } {
  const [, unit = '  '] = /^[ \t]*\{[^\n]*\n([ \t]+)/.exec(text) ?? [];
  return { eol: text.includes('\r\n') ? '\r\n' : '\n', unit };
}

function endOf(node: Node | undefined): number | undefined {
  return node && node.offset + node.length;
}

/** Where the next token begins that is neither a blank nor a comment, and with which character. */
function nextToken(text: string, from: number): { text: string; offset: number } {
  const scanner = createScanner(text, true);
  scanner.setPosition(from);
  scanner.scan();
  const offset = scanner.getTokenOffset();
  return { text: text.charAt(offset), offset };
}

function spliced(text: string, offset: number, content: string): string {
  return text.slice(0, offset) + content + text.slice(offset);
}
