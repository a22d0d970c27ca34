import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { inTurn, reply, status, type PeerMessage } from '@mcp-connect/testing';
import { HTTP } from '../column.js';
import type { Row } from '../row.js';
import { check } from '../expected.js';
import { argumentsOf, call, on, ours, RESULT, serverError, UNKNOWN } from './call.js';

const JSON_TYPE = { 'content-type': 'application/json' };

/** A little less than `Retry-After: 1`, in milliseconds. */
const ABOUT_A_SECOND = 900;

/** HTTP statuses. */
export const STATUSES: readonly Row[] = [
  {
    name: '404: the session is gone',
    on: on(HTTP, 'legacy'),
    server: () => ({ sessions: true, script: inTurn('tools/call', status(404), reply()) }),
    async play(scene) {
      const sessions = scene.server.executions('initialize');
      await scene.see(scene.call(), RESULT);
      scene.executed(1);
      scene.executed(sessions + 1, 'initialize');
      await scene.goOn();
    },
  },
  ...[400, 403, 404, 405, 406, 413, 415].map((code) =>
    call({
      name: `${code} without a word`,
      on: on(HTTP),
      outcomes: () => [status(code), reply()],
      expected: ours('no', 'MCPC_HTTP_STATUS'),
      executions: 0,
    }),
  ),
  {
    name: '400 with an error of the server',
    on: on(HTTP),
    server: () => ({
      script: ({ id, method }) =>
        method === 'tools/call' ? status(400, { headers: JSON_TYPE, body: errorTo(id) }) : undefined,
    }),
    async play(scene) {
      await scene.see(scene.call(), serverError(-32_602));
      scene.executed(0);
      await scene.goOn();
    },
  },
  call({
    name: '401',
    on: on(HTTP),
    outcomes: () => [status(401, { headers: { 'www-authenticate': 'Bearer' } }), reply()],
    expected: ours('no', 'MCPC_SIGN_IN'),
    executions: 0,
  }),
  ...[429, 503].map((code): Row => ({
    name: `${code} with Retry-After`,
    on: on(HTTP),
    server: () => ({
      script: inTurn(
        'tools/call',
        status(code, { headers: { 'retry-after': '1' }, executed: false }),
        reply(),
      ),
    }),
    async play(scene) {
      const startedAt = performance.now();
      await scene.see(scene.call(), RESULT);
      check(performance.now() - startedAt > ABOUT_A_SECOND, 'it did not wait as it was asked to');
      scene.executed(1);
      await scene.goOn();
    },
  })),
  ...[429, 503].map((code): Row => ({
    name: `${code} with Retry-After and an error of the server`,
    on: on(HTTP),
    server: () => {
      let first = true;
      return {
        script: ({ id, method }) => {
          if (method !== 'tools/call' || !first) return undefined;
          first = false;
          const headers = { ...JSON_TYPE, 'retry-after': '1' };
          return status(code, { headers, body: errorTo(id), executed: false });
        },
      };
    },
    async play(scene) {
      await scene.see(scene.call(), RESULT);
      scene.executed(1);
      await scene.goOn();
    },
  })),
  {
    name: '429 without Retry-After',
    on: on(HTTP),
    server: () => ({ script: inTurn('tools/call', status(429), reply()) }),
    async play(scene) {
      await scene.see(scene.call(), { kind: 'any' });
      await scene.goOn();
    },
  },
  ...[500, 502, 503, 504].flatMap((code) => [
    call({
      name: `${code} to a call`,
      on: on(HTTP),
      outcomes: () => [status(code), reply()],
      expected: UNKNOWN,
      executions: 1,
    }),
    call({
      name: `${code} to a harmless request`,
      on: on(HTTP),
      method: 'resources/read',
      outcomes: () => [status(code), reply()],
      expected: RESULT,
      executions: 2,
    }),
  ]),
  {
    name: 'cancelled while it waits for another attempt',
    on: on(HTTP),
    server: () => ({
      script: inTurn(
        'tools/call',
        status(503, { headers: { 'retry-after': '1' }, executed: false }),
        reply(),
      ),
    }),
    async play(scene) {
      const id = scene.call();
      await scene.served(
        () => scene.server.messages.some(({ method }) => method === 'tools/call'),
        'no call',
      );
      scene.cancel(id);
      // Answered no sooner than the cancelled call would have been sent again.
      await scene.see(scene.call({ slow: true }), RESULT);
      await scene.goOn();
      const calls = scene.server.messages.filter(({ method }) => method === 'tools/call');
      check(calls.length === 2, 'a cancelled call was sent again');
    },
  },
  {
    name: 'redirect to another origin',
    on: on(HTTP),
    credentials: true,
    server: () => ({
      script: (request) =>
        request.method === 'tools/call'
          ? status(307, { headers: { location: String(argumentsOf(request)['to']) } })
          : undefined,
    }),
    async play(scene) {
      const other = createServer((request, response) => {
        seen.push(request.headers);
        response.writeHead(500).end();
      });
      const seen: IncomingHttpHeaders[] = [];
      other.listen(0, '127.0.0.1');
      await once(other, 'listening');
      const { port } = other.address() as AddressInfo;
      try {
        const to = `http://127.0.0.1:${port}/mcp`;
        await scene.see(scene.call({ to }), ours('no', 'MCPC_HTTP_STATUS'));
        check(
          seen.every(({ authorization }) => authorization === undefined),
          'credentials went to another origin',
        );
        await scene.goOn();
      } finally {
        other.closeAllConnections();
        other.close();
      }
    },
  },
];

function errorTo(id: PeerMessage['id']): string {
  return `{"jsonrpc":"2.0","id":${JSON.stringify(id)},"error":{"code":-32602,"message":"scripted"}}`;
}
