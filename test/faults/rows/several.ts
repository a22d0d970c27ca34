import { hang, type Script } from '@mcp-connect/testing';
import type { Row } from '../row.js';
import { check } from '../expected.js';
import type { Scene } from '../scene.js';
import type { Strategy } from '../subjects.js';
import { argumentsOf, on, ours, RESULT, UNKNOWN } from './call.js';

/** Calls behind a fault: more than there are servers. */
const SOME = 4;

/** A program of the modern era gets the call as soon as it starts: what it did before it ended, nobody knows. */
const SURE: Row['on'] = ({ wire, era }) => wire !== 'stdio' || era === 'legacy';

/** Two servers, of which one is lost or both are. */
export const SEVERAL: readonly Row[] = (['fallback', 'round-robin'] as const).flatMap(rowsOf);

function rowsOf(strategy: Strategy): Row[] {
  return [
    {
      name: `${strategy}: one of two servers is down from the start`,
      on: SURE,
      strategy,
      unopened: true,
      server: () => ({ sessions: true, spare: { sessions: true } }),
      async play(scene) {
        await scene.goDown();
        await scene.open();
        await callAll(scene);
        check(
          scene.spare.executions('tools/call') === SOME,
          'not all calls were carried out by the other one',
        );
      },
    },
    {
      name: `${strategy}: one of two servers crashes with calls in flight`,
      on: SURE,
      strategy,
      server: () => ({ sessions: true, script: WAITING, spare: { sessions: true } }),
      async play(scene) {
        const harmful = scene.call({ wait: true });
        await scene.served(() => scene.server.executions('tools/call') === 1, 'the call did not arrive');
        const harmless = scene.request('resources/read', { uri: 'a:b' });
        await scene.goDown();
        await scene.see(harmful, UNKNOWN);
        await scene.see(harmless, RESULT);
        await callAll(scene);
        check(
          scene.spare.executions('tools/call') === SOME,
          'not all calls were carried out by the other one',
        );
        await scene.server.start();
        await callAll(scene);
      },
    },
    {
      name: `${strategy}: both servers are lost`,
      on: on(['json', 'sse', 'tcp']),
      strategy,
      server: () => ({ sessions: true, spare: { sessions: true } }),
      async play(scene) {
        await callAll(scene);
        await scene.spare.stop();
        await scene.goDown();
        const answer = await scene.see(
          scene.call(),
          ours('no', 'MCPC_NO_ENDPOINT', 'MCPC_CONNECT', 'MCPC_TIMEOUT', 'MCPC_CONNECTION_LOST'),
        );
        const { attempts } = answer.error!.data as {
          attempts: readonly { endpoint: string; error: string }[];
        };
        for (const { endpoint } of [scene.server, scene.spare]) {
          const named = attempts.some(
            (attempt) => attempt.endpoint === endpoint.label && attempt.error !== '',
          );
          check(named, `the error does not say what became of ${endpoint.label}`);
        }
        await scene.server.start();
        await scene.spare.start();
        await callAll(scene);
      },
    },
  ];
}

/** Takes its time with what is asked to wait, and with everything that is read. */
const WAITING: Script = (request) => {
  const { method } = request;
  if (method === 'resources/read') return hang();
  return method === 'tools/call' && argumentsOf(request)['wait'] === true ? hang() : undefined;
};

async function callAll(scene: Scene): Promise<void> {
  for (let n = 0; n < SOME; n++) await scene.see(scene.call(), RESULT);
}
