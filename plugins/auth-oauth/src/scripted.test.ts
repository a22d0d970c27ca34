import { once } from 'node:events';
import {
  createServer,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from 'node:http';
import type { AddressInfo } from 'node:net';
import { createLog, DEFAULT_SETTINGS, type LogRecord } from '@mcp-connect/core';
import { OAuthAccount } from './account.js';
import type { Config } from './config.js';
import type { Store } from './model.js';
import { LocalPerson } from './person.js';
import { FileStore } from './store.js';

/** Answers one request. */
export type Answer = (response: ServerResponse, url: URL, body: URLSearchParams) => unknown;

/** What a server does otherwise than an honest one. */
export interface Script {
  /** Members of the resource metadata. */
  readonly resource?: object;
  /** Members of the server metadata; undefined takes one away. */
  readonly server?: object;
  /** Members of the authorization response. */
  readonly response?: Readonly<Record<string, string | undefined>>;
  /** Whole answers, by path. */
  readonly answers?: Readonly<Record<string, Answer>>;
  /** What else the user has settled. */
  readonly config?: Partial<Config>;
}

/** An MCP server and its authorization server in one, which keep to a script. */
export class ScriptedServer {
  readonly #server: Server;
  readonly #write: (server: ScriptedServer) => Script;
  #written: Script | undefined;
  readonly #other: Server;
  /** Every path that was asked for, in order. */
  readonly paths: string[] = [];
  /** Every request that reached the origin to which the server tries to lead. */
  readonly strayed: string[] = [];
  readonly #requests: {
    readonly url: URL;
    readonly body: string;
    readonly headers: IncomingHttpHeaders;
  }[] = [];
  /** All that was ever sent, as one text. */
  sent = '';

  constructor(script: (server: ScriptedServer) => Script = () => ({})) {
    this.#write = script;
    this.#server = createServer((request, response) => void this.#serve(request, response));
    this.#other = createServer((request, response) => {
      this.strayed.push(request.url!);
      json(response, { access_token: 'from-elsewhere', token_type: 'Bearer' });
    });
  }

  async open(): Promise<void> {
    for (const server of [this.#server, this.#other]) {
      server.listen(0, '127.0.0.1');
      await once(server, 'listening');
    }
  }

  async close(): Promise<void> {
    for (const server of [this.#server, this.#other]) {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    }
  }

  get origin(): string {
    return originOf(this.#server);
  }

  /** It can be written only once the addresses are known. */
  get #script(): Script {
    return (this.#written ??= this.#write(this));
  }

  /** An origin of somebody else. */
  get elsewhere(): string {
    return originOf(this.#other);
  }

  get config(): Partial<Config> {
    return this.#script.config ?? {};
  }

  /** The bodies of all requests for a path. */
  bodies(path: string): string[] {
    return this.#requests.filter(({ url }) => url.pathname === path).map(({ body }) => body);
  }

  /** The same, where they are forms. */
  forms(path: string): URLSearchParams[] {
    return this.bodies(path).map((body) => new URLSearchParams(body));
  }

  /** The header fields of all requests for a path. */
  headers(path: string): IncomingHttpHeaders[] {
    return this.#requests.filter(({ url }) => url.pathname === path).map(({ headers }) => headers);
  }

  /** The queries of all requests for a path. */
  queries(path: string): URLSearchParams[] {
    return this.#requests.filter(({ url }) => url.pathname === path).map(({ url }) => url.searchParams);
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { origin } = this;
    const script = this.#script;
    const url = new URL(request.url!, origin);
    let body = '';
    for await (const chunk of request) body += String(chunk);
    this.paths.push(url.pathname);
    this.#requests.push({ url, body, headers: request.headers });
    this.sent += `${request.url} ${JSON.stringify(request.headers)} ${body}\n`;
    const own = script.answers?.[url.pathname];
    if (own !== undefined) return void own(response, url, new URLSearchParams(body));
    switch (url.pathname) {
      case '/.well-known/oauth-protected-resource/mcp':
        return json(response, {
          resource: `${origin}/mcp`,
          authorization_servers: [origin],
          ...script.resource,
        });
      case '/.well-known/oauth-authorization-server':
        return json(response, {
          issuer: origin,
          authorization_endpoint: `${origin}/authorize`,
          token_endpoint: `${origin}/token`,
          registration_endpoint: `${origin}/register`,
          code_challenge_methods_supported: ['S256'],
          authorization_response_iss_parameter_supported: true,
          ...script.server,
        });
      case '/register':
        return json(response, { client_id: 'us' }, 201);
      case '/authorize': {
        const back = new URL(url.searchParams.get('redirect_uri')!);
        const params = {
          code: 'the-code',
          state: url.searchParams.get('state')!,
          iss: origin,
          ...script.response,
        };
        for (const [name, value] of Object.entries(params)) {
          if (value !== undefined) back.searchParams.set(name, value);
        }
        return void response.writeHead(302, { location: back.href }).end();
      }
      case '/token':
        return json(response, { access_token: 'the-token', token_type: 'Bearer' });
      default:
        return void response.writeHead(404).end();
    }
  }
}

function originOf(server: Server): string {
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** Answers with a JSON object. */
export function json(response: ServerResponse, body: object, status = 200): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}

/** How a test wants its account. */
export interface ScriptedAccount {
  readonly endpoint?: string;
  readonly store?: Store;
  readonly config?: Partial<Config>;
  /** How long a request may take, in milliseconds. */
  readonly patience?: number;
  /** Told every line of the log. */
  onlog?(record: LogRecord): void;
}

/** Makes an account whose user follows wherever a sign-in leads. `settled` waits until the user's browser is done. */
export function accountAt(
  server: ScriptedServer,
  { endpoint = `${server.origin}/mcp`, store, config, onlog, patience }: ScriptedAccount = {},
): { account: OAuthAccount; settled(): Promise<unknown> } {
  const visits: Promise<unknown>[] = [];
  const log = createLog({
    level: 'debug',
    write(record) {
      onlog?.(record);
      const [, page] = /sign in at (http\S+)/.exec(record.text) ?? [];
      if (page !== undefined) visits.push(fetch(page).then((response) => response.text()));
    },
  });
  const account = new OAuthAccount({
    endpoint: new URL(endpoint),
    config: {
      grant: 'authorization-code',
      profile: 'default',
      asks: true,
      authorizeParams: {},
      dpop: false,
      ...server.config,
      ...config,
    },
    settings: DEFAULT_SETTINGS,
    log,
    store: store ?? new FileStore({ log }),
    person: new LocalPerson({
      browser: false,
      log,
      env: {},
      platform: 'linux',
      openTerminal: () => undefined,
    }),
    ...(patience !== undefined && { patience }),
  });
  return { account, settled: () => Promise.allSettled(visits) };
}

/** Returns the `Authorization` header that an account puts on a message. */
export async function signed(account: OAuthAccount): Promise<string | undefined> {
  const credentials = { headers: {} as Record<string, string> };
  await account.sign(credentials);
  return credentials.headers['authorization'];
}
