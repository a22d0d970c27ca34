import { ConnectorError } from '@mcp-connect/core';
import type { Conversation } from './conversation.js';
import type { Steps } from './steps.js';

/** What a server offers, by name. */
export interface Inventory {
  readonly tools: readonly string[];
  readonly resources: readonly string[];
  readonly resourceTemplates: readonly string[];
  readonly prompts: readonly string[];
}

interface List {
  readonly name: keyof Inventory;
  readonly method: string;
  /** The capability without which the list is not asked for. */
  readonly capability: string;
  /** The member that names an item. */
  readonly key: string;
}

type Item = Readonly<Record<string, unknown>>;

const LISTS: readonly List[] = [
  { name: 'tools', method: 'tools/list', capability: 'tools', key: 'name' },
  { name: 'resources', method: 'resources/list', capability: 'resources', key: 'uri' },
  {
    name: 'resourceTemplates',
    method: 'resources/templates/list',
    capability: 'resources',
    key: 'uriTemplate',
  },
  { name: 'prompts', method: 'prompts/list', capability: 'prompts', key: 'name' },
];

/** A server whose list has more pages goes round in circles. */
const MOST_PAGES = 1_000;

/** Asks for every list that the server says it has, to its last page (2025-11-25 server/utilities/pagination). */
export async function inventory(steps: Steps, conversation: Conversation): Promise<Partial<Inventory>> {
  const found: { -readonly [K in keyof Inventory]?: readonly string[] } = {};
  for (const list of LISTS) {
    const title = list.name === 'resourceTemplates' ? 'templates' : list.name;
    if (conversation.greeting.capabilities[list.capability] === undefined) {
      steps.note(title, 'not offered', 'skipped');
      continue;
    }
    const names = await steps.take(title, () => namesOf(conversation, list), counted);
    if (names !== undefined) found[list.name] = names;
  }
  return found;
}

/** Asks for all tools, as the server describes them. */
export function toolsOf(conversation: Conversation): Promise<readonly Item[]> {
  return itemsOf(conversation, LISTS[0]!);
}

async function namesOf(conversation: Conversation, list: List): Promise<readonly string[]> {
  const items = await itemsOf(conversation, list);
  return items.map((item) => String(item[list.key]));
}

async function itemsOf(conversation: Conversation, { name, method }: List): Promise<readonly Item[]> {
  const all: Item[] = [];
  let cursor: unknown;
  for (let page = 0; page < MOST_PAGES; page++) {
    const result = await conversation.request(method, typeof cursor === 'string' ? { cursor } : {});
    all.push(...((result[name] ?? []) as readonly Item[]));
    cursor = result['nextCursor'];
    if (typeof cursor !== 'string') return all;
  }
  throw new ConnectorError('MCPC_BAD_RESPONSE', `${method} does not come to an end.`, {
    hint: 'Report this to the authors of the server',
  });
}

function counted(names: readonly string[]): string {
  return names.length === 0 ? '0' : `${names.length}: ${names.join(', ')}`;
}
