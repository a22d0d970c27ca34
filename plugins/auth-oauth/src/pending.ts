import {
  ConnectorError,
  toConnectorError,
  type Challenge,
  type Credentials,
  type Envelope,
  type OpenTransport,
  type RequestId,
  type Transport,
  type TransportContext,
} from '@mcp-connect/core';
import type { Account } from './model.js';
import {
  acknowledge,
  cancelledId,
  emptyList,
  errorFor,
  isList,
  isModern,
  isOpener,
  LISTEN,
  standInFor,
  type Obstacle,
} from './stand-in.js';

/** How long a client may wait for the answer to its first request, in milliseconds: it may give up soon after. */
const OPENING = 1_500;
/** The least time that a sign-in gets before such a request is answered without it, in milliseconds. */
const LEAST = 300;
/** How long other requests wait for a sign-in, in milliseconds: clients give a request about a minute. */
const PATIENCE = 20_000;
const METHOD_NOT_FOUND = -32_601;

/** Opens channels that answer for their server while the user signs in. `account` is what signs their messages. */
export function answeringMeanwhile(open: OpenTransport, account: Account): OpenTransport {
  return async (context) => {
    const pending = new PendingTransport(context, account);
    const onmessage: TransportContext['onmessage'] = (envelope) =>
      context.onmessage(pending.received(envelope));
    pending.over(await open({ ...context, onmessage }));
    return pending;
  };
}

/** A message that the server refused. */
interface Refused {
  readonly envelope: Envelope;
  readonly credentials: Credentials;
  /** When it was sent, on the clock of `performance.now`. */
  readonly sentAt: number;
}

/**
 * Carries messages to a server, and answers in its stead while the user signs in: a client that had to wait would give
 * up and show nothing of why. Once the sign-in is done, the session that the client believes in is begun for real.
 */
class PendingTransport implements Transport {
  readonly #context: TransportContext;
  readonly #account: Account;
  #wire!: Transport;
  /** Whether requests are answered here. */
  #standingIn = false;
  /** Whether the client was told of a session that has not been begun. */
  #owesSession = false;
  /** Whether lists were promised that the server may not have. */
  #promised = false;
  /** Whether the server has said anything. */
  #heard = false;
  #challenge: Challenge | undefined;
  #signingIn: Promise<void> | undefined;
  #failure: ConnectorError | undefined;
  /** What was last warned of, as long as no sign-in has worked since. */
  #warned: string | undefined;
  /** Requests that wait for the sign-in. */
  readonly #waiting = new Set<RequestId>();
  /** Streams of news that the client believes to run. */
  readonly #listening = new Map<RequestId, Envelope>();
  /** Requests for lists that were promised. */
  readonly #lists = new Map<RequestId, Envelope>();

  constructor(context: TransportContext, account: Account) {
    this.#context = context;
    this.#account = account;
  }

  /** Names the transport that leads to the server, once, before anything is sent. */
  over(wire: Transport): void {
    this.#wire = wire;
  }

  /** What a session that is yet to be begun will keep is not known. */
  get stateful(): boolean {
    return this.#owesSession || (this.#wire.stateful ?? true);
  }

  send(envelope: Envelope, credentials: Credentials): void | Promise<void> {
    if (this.#standingIn) return this.#standIn(envelope);
    if (this.#owesSession && !isModern(envelope)) {
      if (envelope.method !== 'initialize') return this.#missSession(envelope);
      this.#owesSession = false;
    }
    if (this.#waiting.size > 0 && this.#waiting.delete(cancelledId(envelope)!)) return undefined;
    if (this.#promised && isList(envelope)) this.#lists.set(envelope.key!, envelope);
    const sentAt = performance.now();
    return this.#wire
      .send(envelope, credentials)
      ?.catch((error: unknown) => this.#refused({ envelope, credentials, sentAt }, error));
  }

  withdraw(id: RequestId): boolean {
    // What waits for the sign-in was refused unread.
    return this.#waiting.delete(id) || (this.#wire.withdraw?.(id) ?? false);
  }

  drain(): Promise<void> | undefined {
    return this.#wire.drain?.();
  }

  wake(): boolean {
    return this.#wire.wake?.() ?? false;
  }

  /** Also gives up a sign-in under way, whose port would else stay open. */
  async close(): Promise<void> {
    await Promise.all([this.#wire.close(), this.#account.close()]);
  }

  /** Looks at a message of the server: a list that was promised and does not exist is empty. */
  received(envelope: Envelope): Envelope {
    this.#heard = true;
    const request = envelope.kind === 'response' ? this.#lists.get(envelope.key!) : undefined;
    if (request === undefined) return envelope;
    this.#lists.delete(envelope.key!);
    const { error } = (envelope.parsed ?? {}) as { error?: { code?: unknown } };
    return error?.code === METHOD_NOT_FOUND ? emptyList(request) : envelope;
  }

  // ── Refusals ─────────────────────────────────────────────────────────────────────────────────────────────────

  /** Sends a message again once the user has signed in, or answers it without the server. */
  async #refused({ envelope, credentials, sentAt }: Refused, refusal: unknown): Promise<void> {
    const patience = this.#patienceFor(envelope, sentAt);
    const answered = new Set<string | undefined>();
    let refused = { credentials, error: refusal };
    for (;;) {
      const { error } = refused;
      const challenge = error instanceof ConnectorError ? error.challenge : undefined;
      if (challenge === undefined || !this.#account.signed(refused.credentials)) throw error;
      // A server may ask for one thing after another, but the same again is its last word.
      if (answered.has(challenge.wwwAuthenticate)) throw this.#refusedForGood(error);
      answered.add(challenge.wwwAuthenticate);
      const outcome = await this.#waitFor(this.#signIn(challenge, refused.credentials), envelope, patience);
      if (outcome === 'cancelled') return;
      if (outcome === 'late') return this.#answerWithout(envelope, error);
      const signed = await this.#context.credentials();
      try {
        return await this.#wire.send(envelope, signed);
      } catch (next) {
        refused = { credentials: signed, error: next };
      }
    }
  }

  /** Words the end of all attempts so that the core makes no more of them. */
  #refusedForGood(cause: unknown): ConnectorError {
    const text = `${this.#context.endpoint.label} refuses the sign-in that it asked for.`;
    return new ConnectorError('MCPC_SIGN_IN', text, {
      cause,
      delivered: 'rejected',
      hint: 'Report this to whoever runs the server, or use another account with --profile NAME',
    });
  }

  /** Begins a sign-in, or joins the one under way. */
  #signIn(challenge: Challenge, credentials?: Credentials): Promise<void> {
    this.#challenge = challenge;
    this.#failure = undefined;
    const answered = this.#account.answer(challenge, credentials?.headers);
    if (this.#signingIn !== undefined) return answered;
    this.#signingIn = answered;
    answered.then(
      () => this.#signedIn(),
      (error: unknown) => this.#failed(toConnectorError(error, 'MCPC_SIGN_IN')),
    );
    return answered;
  }

  /**
   * Waits for a sign-in as long as a request can.
   *
   * @throws ConnectorError of a sign-in that failed
   */
  async #waitFor(
    signingIn: Promise<void>,
    { key }: Envelope,
    patience: number,
  ): Promise<'done' | 'late' | 'cancelled'> {
    if (key !== undefined) this.#waiting.add(key);
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<'late'>((resolve) => (timer = setTimeout(() => resolve('late'), patience)));
    try {
      const outcome = await Promise.race([signingIn.then(() => 'done' as const), late]);
      return key === undefined || this.#waiting.has(key) ? outcome : 'cancelled';
    } finally {
      clearTimeout(timer);
      if (key !== undefined) this.#waiting.delete(key);
    }
  }

  #patienceFor(envelope: Envelope, sentAt: number): number {
    return this.#mayStandInFor(envelope) ? Math.max(LEAST, OPENING - (performance.now() - sentAt)) : PATIENCE;
  }

  /** Whether a request can be answered without the server: a list that once was there must not seem to vanish. */
  #mayStandInFor(envelope: Envelope): boolean {
    return isOpener(envelope) || (isList(envelope) && !this.#heard);
  }

  #answerWithout(envelope: Envelope, refusal: unknown): void {
    if (envelope.kind !== 'request') throw refusal;
    if (!this.#mayStandInFor(envelope)) return this.#say(errorFor(envelope, this.#obstacle));
    this.#context.log.info?.('answering for %s until the user has signed in', this.#context.endpoint.label);
    this.#standingIn = this.#signingIn !== undefined;
    this.#promised = true;
    this.#owesSession ||= envelope.method === 'initialize';
    return this.#say(standInFor(envelope, this.#obstacle));
  }

  // ── Standing in ──────────────────────────────────────────────────────────────────────────────────────────────

  #standIn(envelope: Envelope): void | Promise<void> {
    if (envelope.kind !== 'request') return void this.#listening.delete(cancelledId(envelope)!);
    if (envelope.method === LISTEN) {
      this.#listening.set(envelope.key!, envelope);
      return this.#say(acknowledge(envelope));
    }
    this.#owesSession ||= envelope.method === 'initialize';
    const isWish = !isOpener(envelope) && !isList(envelope);
    if (isWish && this.#signingIn === undefined) return this.#tryAgain(envelope);
    return this.#say(standInFor(envelope, this.#obstacle));
  }

  /** What the user asks for is reason to try a sign-in again that has failed. */
  async #tryAgain(envelope: Envelope): Promise<void> {
    const signingIn = this.#signIn(this.#challenge!);
    const outcome = await this.#waitFor(signingIn, envelope, OPENING).catch(() => 'late' as const);
    if (outcome === 'done') return this.#missSession(envelope);
    if (outcome === 'late') this.#say(standInFor(envelope, this.#obstacle));
  }

  #signedIn(): void {
    this.#signingIn = undefined;
    this.#warned = undefined;
    if (!this.#standingIn) return;
    this.#standingIn = false;
    const { log, endpoint } = this.#context;
    log.info?.('the user has signed in for %s', endpoint.label);
    if (this.#owesSession) this.#context.onforgotten();
    for (const [key, listen] of this.#listening) void this.#listen(key, listen);
    this.#listening.clear();
  }

  #failed(error: ConnectorError): void {
    this.#signingIn = undefined;
    this.#failure = error;
    const { log } = this.#context;
    const { message, hint } = error;
    const cause = hint === undefined ? message : `${message} ${hint}`;
    // Each message of the client that is refused would say the same again.
    const line = cause === this.#warned ? log.debug : log.warn;
    this.#warned = cause;
    line?.('the sign-in failed: %s', cause);
  }

  /** Opens a stream of news for real. The client hears of what it missed, since it was told that the stream runs. */
  async #listen(key: RequestId, listen: Envelope): Promise<void> {
    try {
      await this.#wire.send(listen, await this.#context.credentials());
    } catch (error) {
      this.#context.onlost(key, toConnectorError(error, 'MCPC_CONNECTION_LOST'));
    }
  }

  /** Sends a request back to where sessions are begun anew. */
  #missSession(envelope: Envelope): void {
    if (envelope.kind !== 'request') return;
    throw new ConnectorError('MCPC_SESSION_LOST', 'The session is yet to be begun.', {
      delivered: 'rejected',
    });
  }

  get #obstacle(): Obstacle {
    const { endpoint, log } = this.#context;
    const failure = this.#failure;
    return {
      server: endpoint.label,
      page: this.#account.page,
      ...(failure !== undefined && { failure: { message: log.redact(failure.message), hint: failure.hint } }),
    };
  }

  #say(answer: Envelope): void {
    void this.#context.onmessage(answer);
  }
}
