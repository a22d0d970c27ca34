import type { ConnectorError, Credentials, Envelope, RequestId, TransportContext } from '@mcp-connect/core';

/** The body of a JSON-RPC response. */
export interface Answer {
  readonly result?: Readonly<Record<string, unknown>>;
  readonly error?: { readonly code: number; readonly message: string; readonly data?: unknown };
}

/** A request of the bridge's own that waits for its answer. */
export interface Question {
  /** The id under which the server knows it. */
  readonly id: RequestId;
  /** Rejects with a ConnectorError when the request could not be sent, or its channel ended without the answer. */
  readonly answer: Promise<Answer>;
  /** Takes the request back and tells the server. The answer then rejects with `MCPC_CANCELLED`. */
  cancel(): void;
}

/** How a request of the bridge's own is sent. */
export interface AskOptions {
  /** Without them the request is signed by the `authenticate` hook, once more when it is refused. */
  readonly credentials?: Credentials;
  /** Header fields beside the credentials, by lower-case name. */
  readonly headers?: Readonly<Record<string, string>>;
  /** The key of the client's request that this one carries on: signs of life count for it. */
  readonly inPlaceOf?: RequestId;
}

/** The way to the server, as the bridge uses it. */
export interface Upstream {
  /** True where messages are single HTTP requests; false for a lasting channel of lines. */
  readonly http: boolean;
  /** False while the server keeps nothing for the session, as its transport says. */
  readonly stateful: boolean;
  /**
   * Sends a message. Without credentials it is signed by the `authenticate` hook, once more when it is refused.
   *
   * @throws ConnectorError as `Transport.send` does, also as a rejection
   */
  send(envelope: Envelope, credentials?: Credentials): void | Promise<void>;
  /** Sends a request under an id of the bridge's own; its answer comes here and nowhere else. */
  ask(method: string, params: object, options?: AskOptions): Question;
}

/** What a direction is made from. */
export interface DirectionContext {
  /** The side of the client: what is handed over here is what the client gets. */
  readonly client: TransportContext;
  readonly upstream: Upstream;
  /** Notes that the server does not speak the era after all: the verdict is void, and the next opener asks anew. */
  misjudged(): void;
  /** Notes that the server has shown the era that it was taken for: the verdict may be kept for other runs. */
  confirmed(): void;
}

/**
 * One way of joining a client to a server: what a transport and its context are to each other, with something in
 * between. Made when it is known which era each side speaks.
 */
export interface Direction {
  /** False while nothing is kept for the session, neither here nor at the server; see `Transport.stateful`. */
  readonly stateful: boolean;
  /** Takes a message of the client; the contract is that of `Transport.send`. */
  send(envelope: Envelope, credentials: Credentials): void | Promise<void>;
  /**
   * Takes a message of the server that answers no question of the bridge.
   *
   * @param request the key of the request whose reply it came with, where the wire tells
   */
  received(envelope: Envelope, request?: RequestId): void | Promise<void>;
  /** Learns that the channel of one upstream request ended without its answer. */
  lost(id: RequestId, error: ConnectorError): void;
  /** The key of the client's request that waits for this one of the server's; undefined where they are the same. */
  standsFor?(id: RequestId): RequestId | undefined;
  /** Learns that the server has forgotten its session. */
  forgotten(): void;
  /** Learns that messages of the server may have been missed. */
  missed(): void;
  /** Learns that the machine has slept: streams over HTTP may have died without a sign. */
  woke?(): void;
  /** Learns that the channel is gone, before the client does. All questions have been rejected. */
  closed(error?: ConnectorError): void;
  /** Ends what the direction has open at the server; the channel itself is closed behind it. Never throws. */
  close(): Promise<void>;
}

/** Carries messages both ways as they are: both sides speak the same era. */
export function passThrough({ client, upstream }: DirectionContext): Direction {
  return {
    get stateful() {
      return upstream.stateful;
    },
    send: (envelope, credentials) => upstream.send(envelope, credentials),
    received: (envelope, request) => client.onmessage(envelope, request),
    lost: (id, error) => client.onlost(id, error),
    forgotten: () => client.onforgotten(),
    missed: () => client.onmissed(),
    closed: () => undefined,
    close: async () => undefined,
  };
}
