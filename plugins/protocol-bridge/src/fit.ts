import { fitContent } from './content.js';
import type { Answer } from './direction.js';
import { isFrom, type LegacyRevision } from './legacy-client.js';
import { isObject } from './messages.js';
import { INVALID_PARAMS, SERVER_INFO_KEY } from './modern.js';
import { isForeignSchema, wrapSchema } from './output-schema.js';

type Result = Readonly<Record<string, unknown>>;

/** A missing resource before 2026-07-28 (2025-11-25 server/resources, Error Handling). */
const RESOURCE_NOT_FOUND = -32_002;

/** Makes a modern server's results into what a client of one legacy revision reads. */
export class LegacyFit {
  readonly #revision: LegacyRevision;
  /** Tools whose structured results are wrapped, since their schemas are. */
  readonly #wrapped = new Set<string>();

  constructor(revision: LegacyRevision) {
    this.#revision = revision;
  }

  /** Fits the result of a request; `params` are the request's. */
  result(method: string, params: Result, modern: Result): Result {
    const result = stripped(modern);
    switch (method) {
      case 'tools/list':
        return this.#tools(result);
      case 'tools/call':
        return this.#called(result, params['name']);
      case 'prompts/get':
        return this.#prompt(result);
      default:
        return result;
    }
  }

  /** Whether no text of a result has to be read or written anew: it is made of content that the revision knows. */
  isPlain({ resultType = 'complete', content, messages, structuredContent }: Result): boolean {
    if (resultType !== 'complete' || structuredContent !== undefined) return false;
    const said = listOf(messages).map((message) => isObject(message) && message['content']);
    return [...listOf(content), ...said].every((block) => fitContent(block, this.#revision) === block);
  }

  /** Fits the error of a request. */
  error(method: string, error: NonNullable<Answer['error']>): NonNullable<Answer['error']> {
    const { code, data } = error;
    const missing = method === 'resources/read' && code === INVALID_PARAMS && isObject(data) && 'uri' in data;
    return missing ? { ...error, code: RESOURCE_NOT_FOUND } : error;
  }

  #tools(result: Result): Result {
    if (!Array.isArray(result['tools'])) return result;
    const tools = (result['tools'] as unknown[]).map((tool) => {
      if (!isObject(tool)) return tool;
      const { name, outputSchema } = tool;
      if (!isForeignSchema(outputSchema)) {
        this.#wrapped.delete(String(name));
        return tool;
      }
      this.#wrapped.add(String(name));
      return { ...tool, outputSchema: wrapSchema(outputSchema) };
    });
    return { ...result, tools };
  }

  #called(result: Result, tool: unknown): Result {
    const fitted = this.#content(result);
    if (!('structuredContent' in result)) return fitted;
    const { structuredContent } = result;
    if (isObject(structuredContent) && !this.#wrapped.has(String(tool))) return fitted;
    const content = listOf(fitted['content']);
    const texts = content.some((block) => isObject(block) && block['type'] === 'text');
    const text = { type: 'text', text: JSON.stringify(structuredContent) };
    return {
      ...fitted,
      content: texts ? content : [...content, text],
      structuredContent: { result: structuredContent },
    };
  }

  #prompt(result: Result): Result {
    if (!Array.isArray(result['messages']) || isFrom(this.#revision, '2025-11-25')) return result;
    const messages = (result['messages'] as unknown[]).map((message) =>
      isObject(message) ? { ...message, content: fitContent(message['content'], this.#revision) } : message,
    );
    return { ...result, messages };
  }

  #content(result: Result): Result {
    const { content } = result;
    if (!Array.isArray(content)) return result;
    return { ...result, content: (content as unknown[]).map((block) => fitContent(block, this.#revision)) };
  }
}

/** A result without what only 2026-07-28 has: some results of older revisions allow no foreign member. */
function stripped(modern: Result): Result {
  const { resultType: _type, ttlMs: _ttl, cacheScope: _scope, _meta, ...result } = modern;
  if (!isObject(_meta)) return result;
  const { [SERVER_INFO_KEY]: _info, ...meta } = _meta;
  return Object.keys(meta).length > 0 ? { ...result, _meta: meta } : result;
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}
