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

async function namesOf(conversation: Conversation, { name, method, key }: List): Promise<readonly string[]> {
  const names: string[] = [];
  let cursor: unknown;
  for (let page = 0; page < MOST_PAGES; page++) {
    const result = await conversation.request(method, typeof cursor === 'string' ? { cursor } : {});
    const items = (result[name] ?? []) as readonly Readonly<Record<string, unknown>>[];
    names.push(...items.map((item) => String(item[key])));
    cursor = result['nextCursor'];
    if (typeof cursor !== 'string') return names;
  }
  throw new ConnectorError('MCPC_BAD_RESPONSE', `${method} does not come to an end.`, {
    hint: 'Report this to the authors of the server',
  });
}

function counted(names: readonly string[]): string {
  return names.length === 0 ? '0' : `${names.length}: ${names.join(', ')}`;
}
