import type { Answer } from './direction.js';
import { INTERNAL_ERROR, INVALID_PARAMS, MODERN, SERVER_INFO_KEY, TASKS } from './modern.js';
import { runsTasks } from './legacy-task.js';
import { membersOf } from './modern-request.js';
import type { Opened } from './legacy-session.js';

type Members = Readonly<Record<string, unknown>>;

/** Errors of legacy servers that modern clients must not see (2026-07-28 basic/index, Error Codes). */
const RESOURCE_NOT_FOUND = -32_002;
/** The codes that 2026-07-28 keeps for itself. */
const RESERVED = { least: -32_099, most: -32_020 };

/** Results that a modern client may keep for a while; those of a legacy server for no time at all. */
const CACHEABLE = new Set([
  'server/discover',
  'tools/list',
  'prompts/list',
  'resources/list',
  'resources/templates/list',
  'resources/read',
]);

/** Makes the answer to `server/discover` from what a legacy server said when its session began. */
export function discovery(opened: Opened): Members {
  const { tasks: _tasks, ...capabilities } = opened.capabilities;
  const { instructions } = opened;
  const extensions = { ...membersOf(capabilities['extensions']), [TASKS]: {} };
  const said = {
    supportedVersions: [MODERN],
    capabilities: runsTasks(opened.capabilities) ? { ...capabilities, extensions } : capabilities,
    ...(instructions !== undefined && { instructions }),
  };
  return fitResult('server/discover', said, opened);
}

/** Makes a modern result of a legacy one (2026-07-28 basic/index, ResultType; server/utilities/caching). */
export function fitResult(method: string, result: Members, opened: Opened | undefined): Members {
  const said = membersOf(result['_meta']);
  const _meta = opened === undefined ? said : { ...said, [SERVER_INFO_KEY]: opened.serverInfo };
  return {
    ...result,
    ...(method === 'tools/call' && !('content' in result) && { content: [] }),
    ...(method === 'tools/list' && { tools: withoutTaskSupport(result['tools']) }),
    ...required(method),
    _meta,
  };
}

/** Members that a modern result must have and a legacy one has not. */
export function required(method: string): Members {
  return { resultType: 'complete', ...(CACHEABLE.has(method) && { ttlMs: 0, cacheScope: 'private' }) };
}

/** Makes a modern error of a legacy one, with the server's own code in its data where it had to be changed. */
export function fitError(method: string, error: Required<Answer>['error']): Required<Answer>['error'] {
  const { code } = error;
  if (code !== RESOURCE_NOT_FOUND && !(code >= RESERVED.least && code <= RESERVED.most)) return error;
  if (code === RESOURCE_NOT_FOUND && method === 'resources/read') return { ...error, code: INVALID_PARAMS };
  const { data } = error;
  const members = typeof data === 'object' && data !== null ? data : data === undefined ? {} : { data };
  return { ...error, code: INTERNAL_ERROR, data: { ...members, originalCode: code } };
}

/** Tools that want to be called as tasks are, within the call: their clients need not know. */
function withoutTaskSupport(tools: unknown): unknown {
  if (!Array.isArray(tools)) return tools;
  return tools.map((tool: unknown) => {
    const { execution, ...kept } = membersOf(tool);
    return execution === undefined ? tool : kept;
  });
}
