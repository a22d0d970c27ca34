import { serveHttp, type HttpPeer } from '../../e2e/servers.js';
import { isLocal } from './local.js';
import { eraOf, type Pair } from './pair.js';
import { Requests } from './requests.js';
import { Sessions } from './sessions.js';

/**
 * Serves Streamable HTTP to the harness of a pair, with nothing but copies of mcp-connect behind it, started with these
 * arguments. What both write to each other is handed over byte for byte, and read only to see where it belongs.
 */
export async function serveFront({ revision, server }: Pair, args: readonly string[]): Promise<HttpPeer> {
  const sessions = eraOf(revision) === 'legacy';
  const desk = sessions ? new Sessions(args) : new Requests(args, { apart: server === 'legacy' });
  const peer = await serveHttp((record, response) => {
    if (!isLocal(record.headers)) return response.writeHead(403).end();
    return desk.handle(record, response);
  });
  return {
    ...peer,
    async close() {
      await peer.close();
      await desk.close();
    },
  };
}
