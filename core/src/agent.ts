import type { Agent, AgentOptions as NodeOptions } from 'node:http';
import type { AgentOptions, Settings } from './transport.js';

/** Says in the words of `node:http` how a pool of connections is kept, to whichever family of addresses. */
export function poolOptions({ idle, most }: AgentOptions, family: Settings['family']): NodeOptions {
  return {
    keepAlive: idle !== undefined,
    ...(idle !== undefined && { timeout: idle }),
    ...(most !== undefined && { maxSockets: most }),
    ...(family !== undefined && { family }),
  };
}

/**
 * Makes a pool of connections to one address: by way of a proxy where the settings know of one, else direct.
 *
 * @throws whatever the agents of the settings throw, as a rejection
 */
export async function agentFor(
  { makeAgent, tls, family }: Pick<Settings, 'makeAgent' | 'tls' | 'family'>,
  url: URL,
  options: AgentOptions = {},
): Promise<Agent> {
  const made = await makeAgent?.(url, options);
  if (made !== undefined) return made;
  const pool = poolOptions(options, family);
  if (url.protocol === 'https:') return new (await import('node:https')).Agent({ ...pool, ...tls });
  return new (await import('node:http')).Agent(pool);
}
