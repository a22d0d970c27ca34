import type { Asked } from './asked.js';
import { together } from './batch.js';
import type { Dispatcher } from './dispatch.js';
import type { Envelope } from './envelope.js';
import type { Ledger } from './ledger.js';
import type { Leg } from './leg.js';
import type { LegSet } from './legs.js';
import { ACKNOWLEDGED } from './listen.js';
import type { Log } from './log.js';
import { ListNews } from './news.js';
import { cancelledId } from './reply.js';
import { atMost } from './waiting.js';

/** Whom notifications concern. */
export interface NotificationsOptions {
  /** The side of the client; see `Client` in `pipeline.ts`. */
  readonly client: { oninitialized?(): void };
  readonly legs: LegSet;
  readonly ledger: Ledger;
  readonly dispatcher: Dispatcher;
  readonly asked: Asked;
  readonly log: Log;
  /** Takes a message on to the client. */
  show(envelope: Envelope): void | Promise<void>;
}

/** How long `initialized` may hold back what follows it, in milliseconds. */
const PATIENCE = 5_000;

/** Decides which servers a notification of the client goes to, and which of the servers' the client gets. */
export class Notifications {
  readonly #options: NotificationsOptions;
  readonly #listNews: ListNews;

  constructor(options: NotificationsOptions) {
    this.#options = options;
    this.#listNews = new ListNews((news) => void options.show(news));
  }

  /** Tells the servers. A returned promise asks for a pause until it settles. */
  fromClient(envelope: Envelope): void | Promise<void> {
    if (envelope.method === 'notifications/cancelled') return this.#cancel(envelope);
    const { asked, client, legs: set, log } = this.#options;
    const { all, home } = set;
    if (all.length > 1 && envelope.method === 'notifications/progress') {
      const asker = asked.ownerOf(envelope);
      if (asker !== undefined) return void asker.tell(envelope);
    }
    const legs = all.filter((leg) => leg === home || (leg.open && (home === undefined || leg.joined)));
    if (legs.length === 0) log.debug?.('dropped %s: no server is connected', envelope.method);
    const told = legs.map((leg) => leg.tell(envelope));
    // Nothing overtakes `initialized` (MCP basic/lifecycle), but a server that never takes it holds nothing up.
    if (envelope.method === 'notifications/initialized') {
      const taken = Promise.all(told).then(() => client.oninitialized?.());
      return atMost(PATIENCE, taken).then(() => set.warm());
    }
    return legs[0]?.transport?.drain?.();
  }

  /** Tells the client, unless it has heard it already or another server tells the same. */
  fromServer(leg: Leg, envelope: Envelope): void | Promise<void> {
    const { asked, legs, show } = this.#options;
    switch (envelope.method) {
      case 'notifications/cancelled':
        return show(asked.withdraw(leg, envelope));
      case ACKNOWLEDGED:
        return this.#showAll([envelope, ...this.#options.dispatcher.resumed(envelope)]);
      default:
        if (legs.all.length > 1 && this.#isEcho(leg, envelope)) return undefined;
        return show(envelope);
    }
  }

  // Apart from what every notification passes: a closure would cost each of them its context.
  #showAll(envelopes: readonly Envelope[]): void | Promise<void> {
    return together(envelopes.map((envelope) => this.#options.show(envelope)));
  }

  /** Drops what has not been passed on. */
  close(): void {
    this.#listNews.close();
  }

  #cancel(envelope: Envelope): void {
    const { dispatcher, ledger } = this.#options;
    const call = ledger.find(cancelledId(envelope));
    // What is finished needs no cancelling, and `initialize` must not be (2025-11-25 basic/utilities/cancellation).
    if (call === undefined || call.cancelled || call.envelope.method === 'initialize') return;
    void dispatcher.cancel(call)?.tell(envelope);
  }

  /** With several legs the same news comes several times, and some of it too late: that is for one of them to tell. */
  #isEcho(leg: Leg, envelope: Envelope): boolean {
    const { dispatcher, legs } = this.#options;
    switch (envelope.method) {
      case 'notifications/resources/updated':
        return legs.home !== undefined && leg !== legs.home;
      case 'notifications/progress':
        return dispatcher.isStale(leg, envelope);
      default:
        return this.#listNews.take(envelope);
    }
  }
}
