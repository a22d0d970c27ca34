import { ConnectorError, reasonOf } from '@mcp-connect/core';
import { isEventStream } from './event-reader.js';
import { FIRST_WAIT, type StreamHost } from './notification-stream.js';
import type { Reply } from './reply.js';
import type { Bookmark } from './sse.js';
import { discard, type HttpRequest } from './wire.js';

/** Empty resumptions in a row after which a reply is given up: the server has forgotten it. */
const MOST_EMPTY = 5;

/** What a resumption ends in. */
export interface ResumeEvents {
  /** The stream goes on behind the bookmark. */
  onresponse(response: Reply, from: Bookmark): void;
  onlost(error: ConnectorError): void;
}

/** Takes up a cut reply stream where it ended, with `Last-Event-ID`, at the pace that the server asked for. */
export class Resumption {
  readonly #host: StreamHost;
  readonly #events: ResumeEvents;
  #request: HttpRequest | undefined;
  #timer: NodeJS.Timeout | undefined;
  #empty = 0;
  #deadline = 0;
  #aborted = false;

  constructor(host: StreamHost, events: ResumeEvents) {
    this.#host = host;
    this.#events = events;
  }

  /** Plans the next connection behind the bookmark. `fruitful` tells that the last one brought anything. */
  plan(bookmark: Bookmark, fruitful: boolean): void {
    this.#empty = fruitful ? 0 : this.#empty + 1;
    this.#deadline = performance.now() + this.#host.context.settings.timeout;
    if (this.#empty >= MOST_EMPTY) return this.#lost('it was resumed, but brought nothing');
    this.#wait(bookmark);
  }

  abort(): void {
    this.#aborted = true;
    clearTimeout(this.#timer);
    this.#request?.abort();
  }

  #wait(bookmark: Bookmark): void {
    this.#timer = setTimeout(() => void this.#connect(bookmark), bookmark.retry ?? FIRST_WAIT);
  }

  async #connect(bookmark: Bookmark): Promise<void> {
    let headers: Record<string, string>;
    try {
      headers = await this.#host.headers();
    } catch (error) {
      return this.#retry(bookmark, reasonOf(error));
    }
    if (this.#aborted) return;
    this.#request = this.#host.wire.request(
      { method: 'GET', headers: { ...headers, 'last-event-id': bookmark.lastEventId ?? '' }, urgent: true },
      {
        onresponse: (response) => {
          if (isEventStream(response)) return this.#events.onresponse(response, bookmark);
          discard(response);
          const status = response.statusCode!;
          const reason = `the server answered ${status} to resuming it`;
          if (status < 500 && status !== 429) this.#lost(reason);
          else this.#retry(bookmark, reason);
        },
        onerror: (error) => this.#retry(bookmark, error.message),
      },
    );
  }

  #retry(bookmark: Bookmark, reason: string): void {
    if (this.#aborted) return;
    if (performance.now() + (bookmark.retry ?? FIRST_WAIT) > this.#deadline) this.#lost(reason);
    else this.#wait(bookmark);
  }

  #lost(reason: string): void {
    const { label } = this.#host.context.endpoint;
    const text = `The reply of ${label} was cut and could not be resumed: ${reason}.`;
    this.#events.onlost(new ConnectorError('MCPC_CONNECTION_LOST', text, { delivered: 'unknown' }));
  }
}
