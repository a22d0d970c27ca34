import { connect as connectTcp, isIP, type Socket, type TcpNetConnectOpts } from 'node:net';
import type { TransportContext } from '@mcp-connect/core';
import { Connection, type ConnectionEvents, type Exchange } from './connection.js';
import { Pool } from './pool.js';
import { alwaysAt, checkField, type Keeping, type Sender, type Sending } from './sender.js';

/**
 * Sends over connections of our own, without the layers of `node:http` between the bytes and the socket: those take as
 * much time as all the rest of a small call.
 */
export async function directSender(
  origin: URL,
  { endpoint, settings }: TransportContext,
  { idle, most }: Keeping,
): Promise<Sender> {
  const secure = origin.protocol === 'https:';
  const connect = secure ? await tlsConnector(origin, settings.tls) : connectTcp;
  // URL keeps the brackets of an IPv6 address, which a host look-up does not know.
  const host = origin.hostname.startsWith('[') ? origin.hostname.slice(1, -1) : origin.hostname;
  const address: TcpNetConnectOpts = {
    host,
    port: Number(origin.port || (secure ? 443 : 80)),
    noDelay: true,
    keepAlive: true,
    keepAliveInitialDelay: 1_000,
    ...(settings.family !== undefined && { family: settings.family }),
    ...(endpoint.ip !== undefined && origin.host === endpoint.url?.host && { lookup: alwaysAt(endpoint.ip) }),
  };
  const open = (events: ConnectionEvents): Connection =>
    new Connection({
      socket: connect(address),
      connected: secure ? 'secureConnect' : 'connect',
      timeout: settings.timeout,
      ...events,
    });
  const requests = new Pool({ idle, most, connect: open });
  const others = new Pool({ idle, most: Infinity, connect: open });
  return {
    send(sending) {
      const exchange: Exchange = {
        head: headOf(sending),
        body: sending.body,
        onresponse: sending.onresponse,
        onerror: sending.onerror,
      };
      const pool = sending.urgent ? others : requests;
      pool.send(exchange);
      return {
        abort: () => pool.abort(exchange),
        hasLeft() {
          return pool.hasLeft(exchange);
        },
      };
    },
    rest() {
      requests.rest();
      others.rest();
    },
    close() {
      requests.close();
      others.close();
    },
  };
}

/** Returns what makes TLS connections to one server; each takes up the session of the one before. */
async function tlsConnector(
  { hostname }: URL,
  settings: TransportContext['settings']['tls'],
): Promise<(address: TcpNetConnectOpts) => Socket> {
  const { connect } = await import('node:tls');
  let session: Buffer | undefined;
  return (address) => {
    const socket = connect({
      ...address,
      // An address is no name for which a certificate could be asked for.
      ...(isIP(address.host!) === 0 && { servername: hostname }),
      ALPNProtocols: ['http/1.1'],
      ...(session !== undefined && { session }),
      ...settings,
    });
    // Who takes a session up is not asked for its name again, so none counts before that has been looked at.
    let offered: Buffer | undefined;
    let trusted = false;
    socket.on('session', (next: Buffer) => {
      offered = next;
      if (trusted) session = next;
    });
    socket.once('secureConnect', () => {
      trusted = true;
      session = offered ?? session;
    });
    // A session that does not lead to a connection is not tried again.
    socket.once('error', () => (session = undefined));
    return socket;
  };
}

/**
 * Writes the head of a request (RFC 9112 sections 3 and 5). Names that differ only in case are one field, of which the
 * last value counts. No field says that the body comes in a coding, since it does not.
 */
function headOf({ method, url, headers, body }: Sending): string {
  const fields: Record<string, string> = { host: url.host, connection: 'keep-alive' };
  for (const name in headers) fields[name.toLowerCase()] = headers[name]!;
  if (body !== undefined) fields['content-length'] = String(body.length);
  let head = `${method} ${url.pathname}${url.search} HTTP/1.1\r\n`;
  for (const name in fields) {
    const value = fields[name];
    if (name === 'transfer-encoding') continue;
    checkField(name, value);
    head += `${name}: ${value}\r\n`;
  }
  return `${head}\r\n`;
}
