import { ConnectorError } from '@mcp-connect/core';
import { questionOf, tokenClientFor, type Attempt, type Granted, type Situation } from './attempt.js';
import { readAuthorization, requestAuthorization } from './authorize.js';
import type { Config } from './config.js';
import { discoverProtection, discoverServer, givenServer, type Protection } from './discover.js';
import { makeKey, thumbprintOf } from './dpop.js';
import { machineGrant, signInByCode } from './grants.js';
import type { AuthorizationServer, Callback, ClientIdentity, Person, SignIn } from './model.js';
import { canonicalUri } from './names.js';
import { Refusal } from './refusal.js';
import { identify } from './register.js';
import { unusable } from './web.js';
import { forget, note, takeUp, type VisitUnderWay } from './visit.js';

/**
 * Signs in at the authorization server of an endpoint by the grant that the user chose, from discovery to tokens.
 *
 * @throws ConnectorError `MCPC_SIGN_IN`, `MCPC_AUTH_SERVER`, `MCPC_CONNECT` or `MCPC_TIMEOUT`; the signal's reason
 */
export async function signIn(situation: Situation, signal: AbortSignal): Promise<SignIn> {
  const { endpoint, config, web, asked, earlier, keep, log } = situation;
  const given = givenServer(config);
  const protection: Protection =
    given === undefined
      ? await discoverProtection(web, endpoint, { asked, signal })
      : { audience: canonicalUri(endpoint), issuers: [given.issuer], described: true };
  const server = given ?? (await discoverServer(web, protection, signal));
  checkBinding(server, situation);
  const scopes = scopesFor(server, config.scopes ?? asked.scopes ?? protection.scopes ?? [], keep);
  log.info?.('signing in at %s', server.issuer);
  const attempt: Attempt = {
    ...situation,
    server,
    scopes,
    audience: config.resource ?? protection.audience,
    known: earlier.find(({ key }) => key.issuer === server.issuer)?.client,
    dpopKey: config.dpop ? makeKey() : undefined,
  };
  const { client, tokens } = await byGrant(attempt, signal);
  const now = Date.now();
  return {
    key: { issuer: server.issuer, resource: canonicalUri(endpoint), profile: config.profile },
    grant: config.grant,
    client,
    audience: attempt.audience,
    tokens,
    scopes,
    server,
    savedAt: now,
    signedInAt: now,
    ...(attempt.dpopKey !== undefined && { dpopKey: attempt.dpopKey }),
  };
}

/**
 * A client that the user registered belongs to one authorization server, and its secret to nobody else: a resource that
 * changes to another one has to be confirmed by the user (2026-07-28, Authorization Server Binding).
 */
function checkBinding({ issuer }: AuthorizationServer, { config, earlier }: Situation): void {
  const before = earlier.filter(({ client }) => client.origin === 'static').map(({ key }) => key.issuer);
  if (config.clientId === undefined || before.length === 0 || before.includes(issuer)) return;
  throw unusable(
    `the client ${config.clientId} is registered at ${before[0]}, but the server now names ${issuer}`,
    'If that is right, run mcp-connect logout --endpoint URL and sign in again',
  );
}

async function byGrant(attempt: Attempt, signal: AbortSignal): Promise<Granted> {
  switch (attempt.config.grant) {
    case 'authorization-code':
      return byBrowser(attempt, signal);
    case 'device-code':
      return signInByCode(attempt, signal);
    default:
      return machineGrant(attempt, signal);
  }
}

/** What is said of a registration that was forgotten, or made for fewer scopes than are wanted now. */
const OUTDATED = new Set<string | undefined>(['invalid_client', 'unauthorized_client', 'invalid_scope']);

/** A client whose registration no longer fits is registered once more. */
async function byBrowser(attempt: Attempt, signal: AbortSignal): Promise<Granted> {
  try {
    return await askInBrowser(attempt, signal);
  } catch (error) {
    const outdated = error instanceof Refusal && OUTDATED.has(error.error);
    if (!outdated || attempt.known?.origin !== 'registered') throw error;
    return askInBrowser({ ...attempt, known: undefined }, signal);
  }
}

async function askInBrowser(attempt: Attempt, signal: AbortSignal): Promise<Granted> {
  const { server, audience } = attempt;
  const visit = (await takeUp(attempt)) ?? (await beginVisit(attempt, signal));
  const { client, request, callback, inSight } = visit;
  try {
    attempt.onpage(request.page);
    if (!inSight) await note(attempt, visit);
    await callback.show(request.page, { inSight });
    const answer = await answerOf(callback, request.state, { issuer: server.issuer, signal });
    const tokens = await tokenClientFor(attempt, client).grant(
      'authorization_code',
      {
        code: readAuthorization(answer, request),
        redirect_uri: callback.redirectUri,
        code_verifier: request.verifier,
        resource: audience,
      },
      signal,
    );
    return { client, tokens };
  } finally {
    await callback.close();
    // A visit that this copy does not live to see the end of is left to the next one.
    if (!signal.aborted) await forget(attempt);
  }
}

async function beginVisit(attempt: Attempt, signal: AbortSignal): Promise<VisitUnderWay> {
  const { web, server, config, person, audience, scopes, known, dpopKey } = attempt;
  const callback = await person.begin(callbackFor(config, known));
  try {
    const client = await identify(questionOf(attempt, { redirectUri: callback.redirectUri, signal }));
    const request = requestAuthorization({
      web,
      server,
      client,
      redirectUri: callback.redirectUri,
      scopes,
      audience,
      extra: config.authorizeParams,
      dpopThumbprint: dpopKey === undefined ? undefined : thumbprintOf(dpopKey),
    });
    return { client, request, callback, begunAt: Date.now(), inSight: false };
  } catch (error) {
    await callback.close();
    throw error;
  }
}

function callbackFor(
  { redirectUrl, callbackPort }: Config,
  known: ClientIdentity | undefined,
): Parameters<Person['begin']>[0] {
  const registered = known?.redirectUri === undefined ? 0 : Number(new URL(known.redirectUri).port);
  return {
    ...(redirectUrl !== undefined && { redirectUrl }),
    ...(callbackPort !== undefined && { port: callbackPort }),
    ...(registered !== 0 && { preferredPort: registered }),
  };
}

/** How long the user may take, in milliseconds. */
const LONGEST_WAIT = 600_000;

async function answerOf(
  callback: Callback,
  state: string,
  { issuer, signal }: { issuer: string; signal: AbortSignal },
): Promise<URLSearchParams> {
  const late = AbortSignal.timeout(LONGEST_WAIT);
  try {
    return await callback.answer(state, AbortSignal.any([signal, late]));
  } catch (error) {
    if (!late.aborted || signal.aborted) throw error;
    throw new ConnectorError(
      'MCPC_SIGN_IN',
      `Nobody signed in at ${issuer} within ${LONGEST_WAIT / 60_000} min.`,
      {
        cause: error,
        hint: 'Try again; if its page does not know mcp-connect, run mcp-connect logout --endpoint URL first',
      },
    );
  }
}

/** Long access is asked for where the server offers it (2026-07-28, Refresh Tokens). */
function scopesFor(
  { scopesSupported }: AuthorizationServer,
  wanted: readonly string[],
  keep: readonly string[],
): string[] {
  const scopes = new Set([...keep, ...wanted]);
  if (scopes.size > 0 && scopesSupported?.includes('offline_access') === true) scopes.add('offline_access');
  return [...scopes];
}
