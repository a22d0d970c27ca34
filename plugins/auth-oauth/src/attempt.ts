import type { Log } from '@mcp-connect/core';
import { clientAssertion } from './assertion.js';
import type { Asked } from './challenge.js';
import type { Config } from './config.js';
import { proofs } from './dpop.js';
import type { AuthorizationServer, ClientIdentity, Person, SignIn, Store, Tokens } from './model.js';
import type { IdentityQuestion } from './register.js';
import { TokenClient } from './tokens.js';
import type { Web } from './web.js';

/** What a sign-in starts from. */
export interface Situation {
  readonly endpoint: URL;
  readonly config: Config;
  readonly web: Web;
  readonly person: Person;
  readonly store: Store;
  readonly log: Log;
  /** What the server asked for. */
  readonly asked: Asked;
  /** Earlier sign-ins for the endpoint, whose clients serve again with the same issuers. */
  readonly earlier: readonly SignIn[];
  /** Scopes that must stay, when more are asked for. */
  readonly keep: readonly string[];
  /** Told the page on which the user is asked to sign in. */
  onpage(page: URL): void;
}

type PrivateKey = NonNullable<SignIn['dpopKey']>;

/** A sign-in under way: who is asked, and for what. */
export interface Attempt extends Situation {
  readonly server: AuthorizationServer;
  readonly audience: string;
  readonly scopes: readonly string[];
  readonly known: ClientIdentity | undefined;
  readonly dpopKey: PrivateKey | undefined;
}

/** What a grant ends in. */
export interface Granted {
  readonly client: ClientIdentity;
  readonly tokens: Tokens;
}

/** Makes the question for {@link identify} from a sign-in under way. */
export function questionOf(
  { web, server, config, known, scopes }: Attempt,
  more: Pick<IdentityQuestion, 'redirectUri' | 'signal'>,
): IdentityQuestion {
  return { web, server, config, known, scopes, ...more };
}

/** What a token client is made from, whether for a sign-in under way or one that is stored. */
export interface TokenClientParts {
  readonly web: Web;
  readonly log: Log;
  readonly config: Config;
  readonly server: AuthorizationServer;
  readonly dpopKey?: PrivateKey | undefined;
}

/** Makes the client for the token endpoint, with the proofs that the user's settings ask for. */
export function tokenClientFor(
  { web, log, config, server, dpopKey }: TokenClientParts,
  client: ClientIdentity,
): TokenClient {
  const prove = dpopKey === undefined ? undefined : proofs(dpopKey);
  const { privateKeyFile } = config;
  return new TokenClient({
    web,
    server,
    client,
    log,
    ...(privateKeyFile !== undefined && {
      assertion: (audience) => clientAssertion(privateKeyFile, { clientId: client.id, audience }),
    }),
    ...(prove !== undefined && { proof: (url, nonce) => prove({ method: 'POST', url, nonce }) }),
  });
}
