import type { AgentOptions as NodeOptions } from 'node:http';
import type { AgentOptions, MakeAgent, Settings } from './transport.js';

/** Says in the words of `node:http` how a pool of connections is kept, to whichever family of addresses. */
export function poolOptions({ idle, most }: AgentOptions, family: Settings['family']): NodeOptions {
  return {
    keepAlive: idle !== undefined,
    ...(idle !== undefined && { timeout: idle }),
    ...(most !== undefined && { maxSockets: most }),
    ...(family !== undefined && { family }),
  };
}

/** Returns what makes pools of direct connections: where no proxy is on the way. */
export function directAgents({ tls, family }: Pick<Settings, 'tls' | 'family'>): MakeAgent {
  return async ({ protocol }, options) => {
    const pool = poolOptions(options, family);
    if (protocol === 'https:') return new (await import('node:https')).Agent({ ...pool, ...tls });
    return new (await import('node:http')).Agent(pool);
  };
}
