import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import type { Challenge, Endpoint } from '@mcp-connect/core';
import { REPLY_CHANNEL, type ReplyHead } from '@mcp-connect/transport-http';

/** How a server answered the request for its stream of news. */
export interface StreamAnswer {
  readonly status: number;
  readonly isStream: boolean;
}

/**
 * Watches how an endpoint answers the HTTP requests of this process: what a transport asks for by itself is no message,
 * so nobody else hears how it was answered.
 */
export class WireWatch {
  /** The latest `Date` of a server, with the time here when it came in; in milliseconds since 1970. */
  date: { readonly there: number; readonly here: number } | undefined;
  /** The first refusal of the endpoint for want of rights. */
  challenge: Challenge | undefined;
  /** Where the endpoint last redirected to on another origin, which no transport follows. */
  redirect: URL | undefined;
  readonly #host: string | undefined;
  #answer: StreamAnswer | undefined;
  #waiting: ((answer: StreamAnswer | undefined) => void)[] = [];
  readonly #onresponse = (message: unknown): void => {
    const { method, url, status, headers } = message as ReplyHead;
    if (url.host !== this.#host) return;
    const there = Date.parse(headers.date ?? '');
    if (!Number.isNaN(there)) this.date = { there, here: Date.now() };
    const { 'www-authenticate': wwwAuthenticate } = headers;
    if (status === 401 || status === 403)
      this.challenge ??= { status, ...(wwwAuthenticate !== undefined && { wwwAuthenticate }) };
    if (status >= 300 && status < 400) this.redirect = otherOrigin(headers.location, url) ?? this.redirect;
    if (method !== 'GET') return;
    const isStream = status === 200 && /^text\/event-stream\b/i.test(headers['content-type'] ?? '');
    this.#answer = { status, isStream };
    for (const tell of this.#waiting.splice(0)) tell(this.#answer);
  };

  constructor({ url }: Endpoint) {
    this.#host = url?.host;
    subscribe(REPLY_CHANNEL, this.#onresponse);
  }

  /** Returns how the stream was answered; undefined when it was not within so many milliseconds. */
  async stream(timeout: number): Promise<StreamAnswer | undefined> {
    if (this.#answer !== undefined) return this.#answer;
    let timer: NodeJS.Timeout | undefined;
    const answer = await new Promise<StreamAnswer | undefined>((resolve) => {
      this.#waiting.push(resolve);
      timer = setTimeout(() => resolve(undefined), timeout);
    });
    clearTimeout(timer);
    return answer;
  }

  close(): void {
    unsubscribe(REPLY_CHANNEL, this.#onresponse);
  }
}

function otherOrigin(location: string | undefined, from: URL): URL | undefined {
  if (location === undefined || !URL.canParse(location, from.href)) return undefined;
  const target = new URL(location, from.href);
  return /^https?:$/.test(target.protocol) && target.origin !== from.origin ? target : undefined;
}
