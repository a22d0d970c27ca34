import { lookup } from 'node:dns/promises';
import { once } from 'node:events';
import { connect, isIP, type NetConnectOpts, type Socket } from 'node:net';
import { ConnectorError, reasonOf, tlsFailureOf, type Endpoint, type Settings } from '@mcp-connect/core';
import type { TLSSocket } from 'node:tls';
import type { Way } from '../network/proxied.js';
import type { Steps } from './steps.js';

/** Where the connection to an endpoint goes; undefined for what is no address of a network, such as a program. */
export interface Address {
  /** Host and port, or the path of a unix socket. */
  readonly target: { readonly host: string; readonly port: number } | { readonly path: string };
  /** The scheme to write where it turns out that no TLS is spoken there; undefined where none is asked for. */
  readonly withoutTls: 'http' | 'tcp' | undefined;
}

const WEB_PORTS: Readonly<Record<string, number>> = { 'http:': 80, 'https:': 443 };

/** Reads the address of an endpoint. */
export function addressOf({ scheme, address, url }: Endpoint): Address | undefined {
  if (scheme === 'unix') return { target: { path: address }, withoutTls: undefined };
  if (!['http', 'sse', 'tcp', 'tls'].includes(scheme)) return undefined;
  const parsed = url ?? new URL(`${scheme}://${address}`);
  const port = Number(parsed.port) || WEB_PORTS[parsed.protocol];
  if (port === undefined) return undefined;
  const host = parsed.hostname.replace(/^\[|\]$/g, '');
  const web = parsed.protocol === 'https:' ? 'http' : undefined;
  return { target: { host, port }, withoutTls: scheme === 'tls' ? 'tcp' : web };
}

/**
 * Goes to an address step by step – name, connection, TLS – and hangs up again. Each step that fails is noted, with
 * what is known of the reason; the ones behind it are left out.
 */
export async function reach(steps: Steps, address: Address, settings: Settings): Promise<void> {
  const { target, withoutTls } = address;
  let to: NetConnectOpts = 'path' in target ? target : { ...target };
  if ('host' in target && isIP(target.host) === 0) {
    const found = await steps.take(
      'resolve',
      () => resolved(target.host, settings),
      (ips) => ips.join(', '),
    );
    if (found === undefined) return;
    to = {
      ...target,
      autoSelectFamily: true,
      ...(settings.family !== undefined && { family: settings.family }),
    };
  }
  const socket = await steps.take('connect', () => connected(to, settings.timeout), wordsOfPeer);
  if (socket === undefined) return;
  if (withoutTls === undefined || !('host' in target)) return void socket.destroy();
  const begin = (): Promise<TLSSocket> => secure(socket, { host: target.host, withoutTls }, settings);
  const secured = await steps.take('TLS', begin, wordsOfTls);
  (secured ?? socket).destroy();
}

/** How long a server may take to show that it speaks TLS, in milliseconds. */
const LONGEST_HANDSHAKE = 2_000;

/** Tells whether TLS is spoken at an address that was taken for one without. */
export async function speaksTls({ target }: Address, { tls, timeout, family }: Settings): Promise<boolean> {
  if (!('host' in target)) return false;
  const patience = Math.min(timeout, LONGEST_HANDSHAKE);
  // Nothing is said over the connection, so whose it is does not matter.
  const settings = { tls: { ...tls, rejectUnauthorized: false }, timeout: patience };
  try {
    const socket = await connected(
      { ...target, autoSelectFamily: true, ...(family && { family }) },
      patience,
    );
    (await secure(socket, { host: target.host, withoutTls: 'tcp' }, settings)).destroy();
    return true;
  } catch (error) {
    return tlsFailureOf(error, 'tcp')?.fault === 'unwelcome';
  }
}

const PROXY_PORTS: Readonly<Record<string, number>> = { 'http:': 80, 'https:': 443 };
const SOCKS_PORT = 1080;

/** Connects to the proxy by way of which an address is reached. Whether the proxy lets us through is told later. */
export async function reachProxy(steps: Steps, way: Way, { timeout, family }: Settings): Promise<void> {
  const { hostname, port, protocol } = way.proxy.url;
  const to: NetConnectOpts = {
    host: hostname.replace(/^\[|\]$/g, ''),
    port: Number(port) || (PROXY_PORTS[protocol] ?? SOCKS_PORT),
    autoSelectFamily: true,
    ...(family !== undefined && { family }),
  };
  const connecting = async (): Promise<void> => {
    try {
      (await connected(to, timeout)).destroy();
    } catch (error) {
      const { unreachable } = await import('../network/proxied.js');
      throw unreachable(way, (error as ConnectorError).cause ?? error);
    }
  };
  await steps.take('proxy', connecting, () => way.proxy.label);
}

async function resolved(host: string, { timeout, family }: Settings): Promise<string[]> {
  try {
    const found = await withinTime(
      timeout,
      lookup(host, family === undefined ? { all: true } : { all: true, family }),
    );
    return found.map(({ address }) => address);
  } catch (cause) {
    if (cause instanceof ConnectorError) throw cause;
    throw new ConnectorError('MCPC_CONNECT', `The name ${host} cannot be resolved: ${reasonOf(cause)}`, {
      cause,
      hint: 'Check the spelling of the host, and that this machine is online',
    });
  }
}

async function connected(to: NetConnectOpts, timeout: number): Promise<Socket> {
  const socket = connect(to);
  // A peer that hangs up at once is told by what comes after.
  socket.on('error', () => undefined);
  try {
    await withinTime(timeout, once(socket, 'connect'));
    return socket;
  } catch (cause) {
    socket.destroy();
    if (cause instanceof ConnectorError) throw cause;
    throw new ConnectorError('MCPC_CONNECT', `The connection failed: ${reasonOf(cause)}`, {
      cause,
      hint:
        'path' in to
          ? 'Check the path, and that the server runs and listens there'
          : 'Check that the server runs there, and that no firewall is in between',
    });
  }
}

async function secure(
  socket: Socket,
  { host, withoutTls }: { host: string; withoutTls: 'http' | 'tcp' },
  { tls, timeout }: Pick<Settings, 'tls' | 'timeout'>,
): Promise<TLSSocket> {
  const { connect: begin } = await import('node:tls');
  const name = tls.servername ?? host;
  const secured = begin({ ...tls, socket, ...(isIP(name) === 0 ? { servername: name } : { host: name }) });
  secured.on('error', () => undefined);
  try {
    await withinTime(timeout, once(secured, 'secureConnect'));
    return secured;
  } catch (cause) {
    secured.destroy();
    if (cause instanceof ConnectorError) throw cause;
    const failure = tlsFailureOf(cause, withoutTls);
    throw new ConnectorError('MCPC_CONNECT', `TLS failed: ${failure?.reason ?? reasonOf(cause)}`, {
      cause,
      hint: failure?.hint ?? 'Check that the port speaks TLS; if it does not, write http:// or tcp://',
    });
  }
}

async function withinTime<T>(timeout: number, work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    const seconds = timeout / 1000;
    const text = `There was no answer within ${seconds} s.`;
    const hint = 'Check that the server can be reached, or allow more time with --timeout SECONDS';
    timer = setTimeout(() => reject(new ConnectorError('MCPC_TIMEOUT', text, { hint })), timeout);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}

function wordsOfPeer({ remoteAddress, remotePort }: Socket): string {
  return remoteAddress === undefined ? 'connected' : `${remoteAddress} port ${remotePort}`;
}

function wordsOfTls(socket: TLSSocket): string {
  const { subject, valid_to } = socket.getPeerCertificate();
  const parts = [
    socket.getProtocol() ?? 'TLS',
    subject?.CN && `certificate of ${String(subject.CN)}`,
    valid_to && `valid until ${valid_to}`,
  ];
  return parts.filter(Boolean).join(', ');
}
