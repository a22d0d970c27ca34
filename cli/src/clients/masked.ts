import { applyEdits, parseTree, type Edit, type Node } from 'jsonc-parser';
import { namesSecret, REFERENCE } from '../flags/secrets.js';

const MASK = '"•••"';

/**
 * Hides the secrets of a settings file that is to be shown: the values of variables and headers that are no references,
 * and words that follow a flag with a name such as `--api-key`. The text may be any.
 */
export function masked(text: string): string {
  const root = parseTree(text, [], { allowTrailingComma: true });
  return root === undefined ? text : applyEdits(text, edits(root));
}

function edits(node: Node): Edit[] {
  const children = node.children ?? [];
  if (node.type === 'array') return children.flatMap((child, at) => wordEdits(child, children[at - 1]));
  if (node.type !== 'property') return children.flatMap(edits);
  const [key, value] = children;
  if (value === undefined) return [];
  const isHidden = key!.value === 'env' || key!.value === 'headers';
  return isHidden
    ? (value.children ?? []).flatMap(({ children: [, each] = [] }) => hide(each))
    : edits(value);
}

function wordEdits(word: Node, before: Node | undefined): Edit[] {
  if (word.type !== 'string') return edits(word);
  const named = before?.type === 'string' ? String(before.value) : undefined;
  return namesSecret(String(word.value), named) ? hide(word) : [];
}

function hide(node: Node | undefined): Edit[] {
  if (
    node?.type !== 'string' ||
    REFERENCE.test(String(node.value)) ||
    /\$\{(env|input):/.test(String(node.value))
  )
    return [];
  return [{ offset: node.offset, length: node.length, content: MASK }];
}
