import type { Agent } from 'node:http';
import type { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import type { TransportContext } from '@mcp-connect/core';
import { alwaysAt, checkField, type Sender } from './sender.js';

/** The agents that make the connections. */
export interface SendingAgents {
  readonly requests: Agent;
  /** For what never queues behind requests. */
  readonly urgent: Agent;
}

/** Sends with `node:http`, over whatever connections the agents make: that is how proxies are passed. */
export async function agentSender(
  origin: URL,
  { endpoint, settings }: TransportContext,
  agents: SendingAgents,
): Promise<Sender> {
  const http = origin.protocol === 'https:' ? await import('node:https') : await import('node:http');
  return {
    send({ method, url, headers, body, urgent, onresponse, onerror }) {
      for (const name in headers) checkField(name, headers[name]);
      const outbound = http.request({
        protocol: url.protocol,
        // URL keeps the brackets of an IPv6 address, which a host look-up does not know.
        hostname: url.hostname.startsWith('[') ? url.hostname.slice(1, -1) : url.hostname,
        port: url.port,
        path: url.pathname + url.search,
        method,
        headers: { ...headers, ...(body !== undefined && { 'content-length': body.length }) },
        agent: urgent ? agents.urgent : agents.requests,
        ...(endpoint.ip !== undefined &&
          url.host === endpoint.url?.host && { lookup: alwaysAt(endpoint.ip) }),
      });
      let connected = false;
      let over = false;
      outbound.on('socket', (socket: Socket) => {
        if (outbound.reusedSocket || isConnected(socket)) connected = true;
        else awaitConnection(socket, settings.timeout, () => (connected = true));
      });
      outbound.on('response', (response) => {
        // The reply of a proxy has been made an error by then.
        if (over) return void response.resume();
        // Where no other protocol is named, node takes it for a reply, but what follows on the connection is no HTTP.
        if (response.statusCode === 101) {
          fail(new Error('it switched to another protocol'));
          return void response.destroy();
        }
        over = true;
        onresponse(response);
      });
      const fail = (error: Error): void => {
        if (over) return;
        over = true;
        onerror(error, connected);
      };
      outbound.on('error', fail);
      // A server that switches protocols, or closes without a word, answers nothing.
      outbound.on('upgrade', (_, socket) => socket.destroy());
      outbound.on('close', () => over || fail(new Error('it was closed without an answer')));
      outbound.end(body);
      return {
        abort: () => void outbound.destroy(),
        hasLeft() {
          return connected;
        },
      };
    },
    rest() {
      for (const { freeSockets } of [agents.requests, agents.urgent]) {
        for (const socket of Object.values(freeSockets).flat()) socket?.destroy();
      }
    },
    close() {
      agents.requests.destroy();
      agents.urgent.destroy();
    },
  };
}

/** A proxy hands over what leads through it before TLS to the server has begun. */
function isConnected(socket: Socket): boolean {
  return !socket.connecting && !(isTls(socket) && socket.getFinished() === undefined);
}

function isTls(socket: Socket): socket is TLSSocket {
  return 'encrypted' in socket;
}

/**
 * Bounds the making of a connection, which node by itself does not. A handshake of TLS that fails over something written
 * too early is told as that failing, without the reason's own code.
 */
function awaitConnection(socket: Socket, timeout: number, onconnected: () => void): void {
  const timer = setTimeout(
    () => socket.destroy(new Error(`no connection within ${timeout / 1000} s`)),
    timeout,
  );
  const secure = isTls(socket);
  if (secure) socket.cork();
  socket.once(secure ? 'secureConnect' : 'connect', () => {
    clearTimeout(timer);
    if (secure) socket.uncork();
    onconnected();
  });
  socket.once('close', () => clearTimeout(timer));
}
