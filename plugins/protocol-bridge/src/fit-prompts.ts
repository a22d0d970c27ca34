import { randomUUID } from 'node:crypto';
import { fitContent } from './content.js';
import { isFrom, type LegacyRevision } from './legacy-client.js';
import { isObject } from './messages.js';

type Params = Readonly<Record<string, unknown>>;

/** A form or a link for the user as a legacy revision has it; undefined when the revision has no such form. */
export function fitElicitation(params: Params, revision: LegacyRevision): object | undefined {
  // The id is compulsory there; nothing refers to it, as a modern server does not tell when the user is done.
  if (params['mode'] === 'url') return { elicitationId: randomUUID(), ...params };
  if (isFrom(revision, '2025-11-25')) return params;
  const { mode: _, requestedSchema, ...rest } = params;
  const schema = isObject(requestedSchema) ? requestedSchema : {};
  const properties: Record<string, unknown> = {};
  for (const [name, property] of Object.entries(isObject(schema['properties']) ? schema['properties'] : {})) {
    if (isObject(property) && property['type'] === 'array') return undefined;
    properties[name] = fitChoice(property);
  }
  return { ...rest, requestedSchema: { ...schema, properties } };
}

/** A titled choice of 2025-11-25 in the words of 2025-06-18. */
function fitChoice(property: unknown): unknown {
  if (!isObject(property) || !Array.isArray(property['oneOf'])) return property;
  const { oneOf, ...rest } = property;
  const options = (oneOf as unknown[]).filter(isObject);
  return {
    ...rest,
    enum: options.map((option) => option['const']),
    enumNames: options.map((option) => option['title'] ?? String(option['const'])),
  };
}

/** A question for the client's model as a legacy revision has it: before 2025-11-25 a message holds one block. */
export function fitSampling(params: Params, revision: LegacyRevision): object {
  const { messages } = params;
  if (isFrom(revision, '2025-11-25') || !Array.isArray(messages)) return params;
  const single = (messages as unknown[]).flatMap((message) => {
    if (!isObject(message)) return [message];
    const blocks = Array.isArray(message['content'])
      ? (message['content'] as unknown[])
      : [message['content']];
    return blocks.map((block) => ({ ...message, content: fitContent(block, revision) }));
  });
  return { ...params, messages: single };
}
