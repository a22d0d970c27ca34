import type { Node } from 'jsonc-parser';

/** Words the name that jsonc-parser has for an error, such as `CommaExpected`. */
export function worded(code: string): string {
  return code.replaceAll(/(?<=[a-z])[A-Z]/g, (letter) => ` ${letter}`).toLowerCase();
}

/** Returns the value of a tree without errors. No name in it has a meaning, `__proto__` neither. */
export function jsonValue(node: Node): unknown {
  const children = node.children ?? [];
  if (node.type === 'array') return children.map(jsonValue);
  if (node.type !== 'object') return node.value as unknown;
  return Object.fromEntries(
    children.map(({ children: [key, value] = [] }) => [String(key!.value), jsonValue(value!)]),
  );
}
