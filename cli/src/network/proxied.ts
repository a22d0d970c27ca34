import { once } from 'node:events';
import type { Agent, ClientRequest } from 'node:http';
import {
  ConnectorError,
  poolOptions,
  reasonOf,
  tlsFailureOf,
  type AgentOptions,
  type Settings,
  type TlsSettings,
} from '@mcp-connect/core';
import type { proxies } from 'proxy-agent';
import type { ForwardProxy } from './forward.js';

/** What a pool of connections by way of a proxy is made from. */
export interface ProxiedOptions {
  readonly proxy: ForwardProxy;
  /** Certificates for the servers behind the proxy. */
  readonly tls: TlsSettings;
  /** The kind of addresses at which the proxy is reached. */
  readonly family: Settings['family'];
  /** Milliseconds for reaching the proxy and for its word that the way is free. */
  readonly timeout: number;
}

type AgentClass = Awaited<ReturnType<(typeof proxies)['http'][0]>>;
type Connect = InstanceType<AgentClass>['connect'];

/** An agent by way of a proxy. Its declared class leaves `connect` to the classes below. */
interface ConnectingAgent extends InstanceType<AgentClass> {
  /** What the agents of HTTP proxies connect with. */
  connectOpts?: object;
  connect(...args: Parameters<Connect>): ReturnType<Connect>;
}

type Base = new (...args: ConstructorParameters<AgentClass>) => ConnectingAgent;

/**
 * Makes a pool of connections to one address by way of a proxy: through a tunnel where the address is `https:` or the
 * proxy speaks SOCKS, else by handing the proxy whole requests. Where the proxy fails, requests fail with an error
 * that names it, and nothing has reached the server.
 */
export async function proxiedAgent(
  url: URL,
  options: AgentOptions,
  { proxy, tls, family, timeout }: ProxiedOptions,
): Promise<Agent> {
  const secure = url.protocol === 'https:';
  const pool = poolOptions(options, family);
  const AnyAgent = await agentClass(proxy, secure);
  const way: Way = { url, proxy };

  class ProxiedAgent extends AnyAgent {
    override async connect(
      ...[request, connecting]: Parameters<Connect>
    ): Promise<Awaited<ReturnType<Connect>>> {
      const abort = new AbortController();
      const timer = setTimeout(() => abort.abort(), timeout);
      // The connection to the proxy is made from these; there is no other way to take it back.
      this.connectOpts = { ...this.connectOpts, signal: abort.signal };
      let status: number | undefined;
      request.once('proxyConnect', (reply: { statusCode?: number }) => (status = reply.statusCode));
      if (!secure) refuseOn407(request, way);
      try {
        const socket = await super.connect(request, connecting);
        if (!secure && proxy.url.protocol === 'https:')
          await once(socket, 'secureConnect', { signal: abort.signal });
        if (status === undefined || status === 200) return socket;
        socket.destroy();
      } catch (cause) {
        throw unreachable(
          way,
          abort.signal.aborted ? new Error(`no answer within ${timeout / 1000} s`) : cause,
        );
      } finally {
        clearTimeout(timer);
      }
      throw refused(way, status);
    }
  }

  // The authorities that we are told to trust may have signed for the proxy too; the rest is for the server alone.
  const { ca, rejectUnauthorized } = tls;
  const agent = new ProxiedAgent(proxy.url.href, {
    ...pool,
    ...(ca !== undefined && { ca }),
    ...(rejectUnauthorized !== undefined && { rejectUnauthorized }),
  });
  Object.assign(agent.options, pool, secure ? tls : {});
  return agent;
}

async function agentClass({ url }: ForwardProxy, secure: boolean): Promise<Base> {
  const { proxies } = await import('proxy-agent');
  const kind = url.protocol.slice(0, -1) as keyof typeof proxies;
  return (await proxies[kind][secure ? 1 : 0]()) as Base;
}

/** A proxy that is handed whole requests answers in the server's place; nothing but a proxy answers 407. */
function refuseOn407(request: ClientRequest, way: Way): void {
  request.prependOnceListener('response', ({ statusCode }) => {
    if (statusCode === 407) request.emit('error', refused(way, 407));
  });
}

/** A proxy, and the address that is reached by way of it. */
export interface Way {
  readonly url: URL;
  readonly proxy: ForwardProxy;
}

/** Words that a proxy does not answer as a proxy does. */
export function unreachable({ url, proxy }: Way, cause: unknown): ConnectorError {
  const parts =
    proxy.url.protocol === 'https:' ? 'scheme, host and port, and --ca FILE,' : 'scheme, host and port';
  return new ConnectorError('MCPC_CONNECT', `The proxy ${proxy.label} cannot be used: ${reasonOf(cause)}`, {
    cause,
    lasting: tlsFailureOf(cause, 'http') !== undefined,
    hint: `Check ${parts} of the proxy that ${proxy.source} names, or reach ${url.hostname} without it by --no-proxy ${url.hostname}`,
  });
}

function refused({ url, proxy }: Way, status: number | undefined): ConnectorError {
  const { label, source } = proxy;
  // Some answer a wrong password as a server would: to a request for a tunnel only the proxy can answer.
  if (status === 407 || status === 401) {
    const given = proxy.url.username !== '' || proxy.url.password !== '';
    const what = given ? 'does not accept its user and password' : 'asks for a user and a password';
    return new ConnectorError('MCPC_HTTP_STATUS', `The proxy ${label} ${what} (${status}).`, {
      status,
      hint: `Write them into ${source} as ${proxy.url.protocol}//USER:PASSWORD@${proxy.url.host}, with %40 for an @`,
    });
  }
  const ofServer = status !== undefined && status >= 500;
  const what = ofServer ? 'could not connect to' : 'does not let us connect to';
  return new ConnectorError(
    ofServer ? 'MCPC_CONNECT' : 'MCPC_HTTP_STATUS',
    `The proxy ${label} ${what} ${url.host} (${status}).`,
    {
      ...(status !== undefined && { status }),
      hint: ofServer
        ? `Check that ${url.host} is right and up; if it is in your own network, add --no-proxy ${url.hostname}`
        : `Ask those who run the proxy, or reach ${url.hostname} without it by --no-proxy ${url.hostname}`,
    },
  );
}
