import { ConnectorError, type Credentials, type Envelope } from '@mcp-connect/core';
import { passThrough, type Direction, type DirectionContext } from './direction.js';
import { answerOf, eraOf, isRefusal, discoveredIn } from './era.js';
import {
  CAPABILITIES_KEY,
  CLIENT_INFO_KEY,
  LEGACY,
  MODERN,
  UNSUPPORTED_VERSION,
  VERSION_KEY,
} from './modern.js';
import { legacyClientOf } from './legacy-client.js';
import { answerTo, paramsOf, requestOf } from './messages.js';
import { ModernOverHttp } from './modern-over-http.js';
import type { UpstreamChannel } from './upstream.js';
import type { Verdict } from './verdict.js';

/** How long a server on a channel of lines may take to show that it is modern, in milliseconds. */
const PROBE_PATIENCE = 5_000;

/** The message by which a client shows its era. */
export interface Opener {
  readonly envelope: Envelope;
  readonly credentials: Credentials;
}

/** What is decided about: a channel, and how messages pass it. */
export interface OpeningHost {
  readonly directed: DirectionContext;
  readonly upstream: UpstreamChannel;
  readonly verdict: Verdict;
  /** True to tell a modern client to speak an older revision instead of translating for it. */
  readonly refuse: boolean;
  /** True while the channel may end because of what it was asked, which is an answer too. */
  probing: boolean;
  /** Puts a direction in the place of the last one, and returns it. */
  install(direction: Direction | undefined): Direction;
  /** Opens the channel anew, after it has ended. */
  reopen(): Promise<void>;
}

/**
 * Sends `initialize` as it is, and looks for a modern server when it is refused (2026-07-28 basic/versioning).
 *
 * @throws ConnectorError as `Transport.send` does
 */
export async function beginLegacy(host: OpeningHost, opener: Opener): Promise<void> {
  const { directed, upstream, verdict } = host;
  const { envelope, credentials } = opener;
  const key = envelope.key!;
  if (verdict.read(credentials) === 'legacy') {
    const direction = await expectedDirection(host, opener);
    if (direction !== undefined) return direction.send(envelope, credentials);
  }
  const through = host.install(passThrough(directed));
  upstream.watch(key, {
    answered: (answer) => {
      if (isWelcome(answer, envelope)) void through.received(answer);
      else void refused(host, opener, answer);
    },
    // When the whole channel is gone, its end tells so.
    lost: (error) => (upstream.wire === undefined ? undefined : through.lost(key, error)),
  });
  try {
    await upstream.send(envelope, credentials);
  } catch (error) {
    upstream.unwatch(key);
    if (!(error instanceof ConnectorError) || !isRefusal(error)) throw error;
    const direction = await modernDirection(host, opener);
    if (direction === undefined) throw error;
    await direction.send(envelope, credentials);
  }
}

/** Installs the direction that an earlier verdict asks for, or drops the verdict where it no longer holds. */
async function expectedDirection(host: OpeningHost, opener: Opener): Promise<Direction | undefined> {
  const { upstream, verdict } = host;
  try {
    const direction = await modernDirection(host, opener);
    if (direction === undefined) verdict.drop();
    return direction;
  } catch (error) {
    const refusal = error instanceof ConnectorError && isRefusal(error);
    // A program that ends because of the question would do so again and again.
    if (refusal || !upstream.http) verdict.drop();
    if (refusal) return undefined;
    throw error;
  }
}

/** True unless `initialize` was answered with an error, or with the revision that has none and was not asked for. */
function isWelcome(answer: Envelope, initialize: Envelope): boolean {
  const { error, result } = answerOf(answer.parsed);
  if (error !== undefined) return false;
  return result?.['protocolVersion'] !== MODERN || paramsOf(initialize)['protocolVersion'] === MODERN;
}

/** Takes a server that did not welcome `initialize` for a modern one if it is; else its answer stands. */
async function refused(host: OpeningHost, opener: Opener, answer: Envelope): Promise<void> {
  const { client } = host.directed;
  const { envelope, credentials } = opener;
  try {
    const direction = await modernDirection(host, opener);
    if (direction === undefined) void client.onmessage(answer);
    else await direction.send(envelope, credentials);
  } catch (error) {
    if (eraOf(answerOf(answer.parsed)) === 'modern') client.onlost(envelope.key!, error as ConnectorError);
    else void client.onmessage(answer);
  }
}

/** Installs the direction from a legacy client to a modern server, when the server shows that it is one. */
async function modernDirection(
  host: OpeningHost,
  { envelope, credentials }: Opener,
): Promise<Direction | undefined> {
  const { info, capabilities } = legacyClientOf(envelope);
  const _meta = { [VERSION_KEY]: MODERN, [CLIENT_INFO_KEY]: info, [CAPABILITIES_KEY]: capabilities };
  const answer = await host.upstream.ask('server/discover', { _meta }, { credentials }).answer;
  const discovered = discoveredIn(answer);
  if (discovered === undefined) return undefined;
  const { LegacyToModern } = await import('./legacy-to-modern.js');
  host.verdict.refuses('legacy');
  host.verdict.keep();
  return host.install(new LegacyToModern(host.directed, { discovered, initialize: envelope }));
}

/**
 * Has a server show that it is modern before a modern request reaches it (2026-07-28 stdio, Backward Compatibility), and
 * bridges to it when it is not.
 *
 * @returns how the opener goes on
 * @throws ConnectorError as `Transport.send` does
 */
export async function decideModern(host: OpeningHost, opener: Opener): Promise<() => void | Promise<void>> {
  const { directed, upstream, verdict } = host;
  const { envelope, credentials } = opener;
  const legacy = verdict.read(credentials) === 'modern';
  const answer = legacy ? undefined : await probe(host, opener);
  if (answer !== undefined) {
    const direction = host.install(upstream.http ? new ModernOverHttp(directed) : passThrough(directed));
    const answered = envelope.method === 'server/discover';
    return () => (answered ? direction.received(answer) : direction.send(envelope, credentials));
  }
  verdict.refuses('modern');
  if (upstream.wire === undefined) await host.reopen();
  if (host.refuse) return () => directed.client.onmessage(refusalOf(envelope));
  const { openModernToLegacy } = await import('./modern-to-legacy.js');
  const direction = host.install(openModernToLegacy(directed));
  return () => direction.send(envelope, credentials);
}

/** Asks the server to show that it is modern. Returns undefined when its answer, or its end, says that it is not. */
async function probe(host: OpeningHost, { envelope, credentials }: Opener): Promise<Envelope | undefined> {
  const { upstream } = host;
  host.probing = !upstream.http;
  const asked = envelope.method === 'server/discover' ? envelope : discoverLike(envelope);
  const key = asked.key!;
  let limit: NodeJS.Timeout | undefined;
  try {
    const answer = await new Promise<Envelope | undefined>((answered, lost) => {
      upstream.watch(key, { answered, lost });
      if (!upstream.http) limit = setTimeout(answered, PROBE_PATIENCE, undefined);
      Promise.resolve(upstream.send(asked, credentials)).catch(lost);
    });
    return answer !== undefined && eraOf(answerOf(answer.parsed)) === 'modern' ? answer : undefined;
  } catch (error) {
    const died = !upstream.http && upstream.wire === undefined;
    if (died || (error instanceof ConnectorError && isRefusal(error))) return undefined;
    throw error;
  } finally {
    clearTimeout(limit);
    upstream.unwatch(key);
    host.probing = false;
  }
}

/** A question for the server's revisions that describes the client as its own message does. */
function discoverLike(envelope: Envelope): Envelope {
  return requestOf(`mcpc-probe-${envelope.idText}`, 'server/discover', { _meta: paramsOf(envelope)._meta });
}

/** Tells a modern client which revisions it has to speak; one that knows them does so (2026-07-28 basic/versioning). */
function refusalOf(envelope: Envelope): Envelope {
  const data = { supported: LEGACY, requested: paramsOf(envelope)._meta?.[VERSION_KEY] };
  return answerTo(envelope, {
    error: { code: UNSUPPORTED_VERSION, message: 'Unsupported protocol version', data },
  });
}
