import { isFrom, type LegacyRevision } from './legacy-client.js';
import { isObject } from './messages.js';

/** Kinds of content, with the revision that brought each. */
const SINCE: Readonly<Record<string, LegacyRevision>> = {
  text: '2024-11-05',
  image: '2024-11-05',
  resource: '2024-11-05',
  audio: '2025-03-26',
  resource_link: '2025-06-18',
  tool_use: '2025-11-25',
  tool_result: '2025-11-25',
};

/** Where a sound is said to lie when a client knows it only as a resource. */
const SOUND = 'urn:mcp-connect:audio';

/** One block of content as a client of this revision can read it; clients refuse a whole result for a block they do not know. */
export function fitContent(block: unknown, revision: LegacyRevision): unknown {
  if (!isObject(block)) return block;
  const since = SINCE[String(block['type'])];
  if (since !== undefined && isFrom(revision, since)) return block;
  const { type, annotations } = block;
  const about = annotations === undefined ? {} : { annotations };
  if (type === 'audio') {
    const resource = { uri: SOUND, mimeType: block['mimeType'], blob: block['data'] };
    return { type: 'resource', resource, ...about };
  }
  if (type === 'resource_link') {
    const parts = [block['title'] ?? block['name'], block['uri']];
    return { type: 'text', text: parts.filter((part) => typeof part === 'string').join(': '), ...about };
  }
  return { type: 'text', text: JSON.stringify(block) };
}
