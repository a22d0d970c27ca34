import { reasonOf } from '@mcp-connect/core';
import type { Attempt } from './attempt.js';
import type { AuthorizationRequest } from './authorize.js';
import type { Callback, ClientIdentity } from './model.js';

/** Pages for signing in do not stay good for ever: an older visit is not taken up, in milliseconds. */
const LONGEST = 300_000;

/** A page that was opened so shortly ago is still in front of the user, in milliseconds. */
const IN_SIGHT = 10_000;

/** The user is at the sign-in page, or about to be sent there. */
export interface VisitUnderWay {
  readonly client: ClientIdentity;
  readonly request: AuthorizationRequest;
  readonly callback: Callback;
  /** When the visit began, in milliseconds since 1970. */
  readonly begunAt: number;
  /** Whether the user has the page in front of them already. */
  readonly inSight: boolean;
}

/**
 * Takes up the visit that another copy of the program began and did not live to see the end of: the tab that is open
 * leads to this copy from now on. Returns undefined when there is none, or when it was for something else.
 */
export async function takeUp(attempt: Attempt): Promise<VisitUnderWay | undefined> {
  const { store, person, server, log } = attempt;
  const visit = await store.readVisit(nameOf(attempt));
  if (visit === undefined || visit.purpose !== purposeOf(attempt)) return undefined;
  const { client, redirectUri, state, verifier, begunAt, shownAt } = visit;
  const now = Date.now();
  if (now - begunAt > LONGEST) return undefined;
  try {
    const callback = await person.begin({ redirectUrl: new URL(redirectUri) });
    const request = { page: new URL(visit.page), state, verifier, redirectUri, server };
    return { client, request, callback, begunAt, inSight: now - shownAt < IN_SIGHT };
  } catch (error) {
    log.debug?.('a sign-in that was begun cannot be gone on with: %s', reasonOf(error));
    return undefined;
  }
}

/** Notes that the user is sent to a page, so that another copy can take the visit up. */
export async function note(attempt: Attempt, { client, request, begunAt }: VisitUnderWay): Promise<void> {
  // The key that tokens will be bound to is this process's own until there are tokens.
  if (attempt.dpopKey !== undefined) return;
  const { page, state, verifier, redirectUri } = request;
  await attempt.store.writeVisit(nameOf(attempt), {
    purpose: purposeOf(attempt),
    client,
    page: page.href,
    state,
    verifier,
    redirectUri,
    begunAt,
    shownAt: Date.now(),
  });
}

/** Forgets the visit that has come to its end. */
export function forget(attempt: Attempt): Promise<void> {
  return attempt.store.writeVisit(nameOf(attempt), undefined);
}

/** Returns the page of a visit that another copy of the program has begun. */
export async function pageUnderWay(place: VisitPlace): Promise<URL | undefined> {
  const visit = await place.store.readVisit(nameOf(place));
  return visit === undefined || Date.now() - visit.begunAt > LONGEST ? undefined : new URL(visit.page);
}

/** What visits are found by. */
type VisitPlace = Pick<Attempt, 'endpoint' | 'config' | 'store'>;

function nameOf({ endpoint, config }: VisitPlace): string {
  return JSON.stringify([endpoint.href, config.profile]);
}

/** What a visit is for: another purpose needs another visit. */
function purposeOf({ server, audience, scopes, config }: Attempt): string {
  const { authorizeParams, clientId, redirectUrl, callbackPort } = config;
  return JSON.stringify([server, audience, scopes, authorizeParams, clientId, redirectUrl, callbackPort]);
}
