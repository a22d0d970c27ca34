import type { JsonWebKey } from 'node:crypto';
import type { Challenge, Credentials } from '@mcp-connect/core';

/** What a sign-in belongs to. Credentials of one issuer are never used with another (2026-07-28 AS Binding). */
export interface StoreKey {
  /** The authorization server's own name for itself (RFC 8414 section 2), compared as a plain string. */
  readonly issuer: string;
  /** The canonical URI of the endpoint (RFC 8707 section 2), which is known without asking anybody. */
  readonly resource: string;
  /** The account, by the name that `--profile` gives it. */
  readonly profile: string;
}

/** How a client proves who it is at the token endpoint (RFC 7591 section 2). */
export type ClientAuthMethod = 'none' | 'client_secret_basic' | 'client_secret_post' | 'private_key_jwt';

/** Who we are to one authorization server. */
export interface ClientIdentity {
  readonly id: string;
  readonly secret?: string;
  readonly authMethod: ClientAuthMethod;
  /** Where the identity comes from: the user, our published metadata document, or dynamic registration. */
  readonly origin: 'static' | 'metadata-document' | 'registered';
  /** The redirect URI that was registered, where one was. */
  readonly redirectUri?: string;
  /** When the secret ends, in milliseconds since 1970; left out, it does not. */
  readonly secretExpiresAt?: number;
}

/** What a token endpoint has given. */
export interface Tokens {
  readonly accessToken: string;
  readonly tokenType: 'Bearer' | 'DPoP';
  /** When the access token ends, in milliseconds since 1970 by this machine's clock; left out, nobody knows. */
  readonly expiresAt?: number;
  /** When a new one should be fetched, some time before the end. */
  readonly refreshAt?: number;
  readonly refreshToken?: string;
}

/** How tokens are come by. */
export type Grant =
  'authorization-code' | 'device-code' | 'client-credentials' | 'enterprise' | 'workload-identity';

/** The metadata of an authorization server, checked and reduced to what is used (RFC 8414, OpenID Discovery). */
export interface AuthorizationServer {
  readonly issuer: string;
  /** Where the metadata is from; `given` by the user, `assumed` as 2025-03-26 defines for servers without any. */
  readonly source: 'metadata' | 'given' | 'assumed';
  readonly authorizationEndpoint?: string;
  readonly tokenEndpoint: string;
  readonly registrationEndpoint?: string;
  readonly revocationEndpoint?: string;
  readonly deviceAuthorizationEndpoint?: string;
  readonly scopesSupported?: readonly string[];
  readonly codeChallengeMethods?: readonly string[];
  readonly tokenAuthMethods?: readonly string[];
  readonly dpopAlgorithms?: readonly string[];
  /** Whether it names itself in authorization responses (RFC 9207). */
  readonly namesItself: boolean;
  /** Whether the URL of a Client ID Metadata Document serves as a client id. */
  readonly takesMetadataDocuments: boolean;
}

/** Everything that one sign-in left behind, so that the next start asks nobody. */
export interface SignIn {
  readonly key: StoreKey;
  readonly grant: Grant;
  readonly client: ClientIdentity;
  /** The value of the `resource` parameter that the tokens are for (RFC 8707); left out where none was sent. */
  readonly audience?: string;
  /** Left out after a registration that no sign-in followed yet, and after the tokens were refused. */
  readonly tokens?: Tokens;
  /** The scopes that were asked for so far, for the union that a step-up asks for. */
  readonly scopes: readonly string[];
  readonly server: AuthorizationServer;
  /** When it was written, in milliseconds since 1970. */
  readonly savedAt: number;
  /** When it was signed in, which a renewal does not change; older versions did not keep it. */
  readonly signedInAt?: number;
  /** The private key that the tokens are bound to (RFC 9449). */
  readonly dpopKey?: JsonWebKey;
}

/** The user was sent to a sign-in page: all that is needed to hear of the end. */
export interface Visit {
  /** What it is for, as a text to compare. */
  readonly purpose: string;
  readonly client: ClientIdentity;
  readonly page: string;
  readonly redirectUri: string;
  readonly state: string;
  readonly verifier: string;
  /** When it began, and when the page was last opened, in milliseconds since 1970. */
  readonly begunAt: number;
  readonly shownAt: number;
}

/** Keeps sign-ins for this user of the machine, across runs and for all copies that run at once. */
export interface Store {
  /** Returns the sign-ins of one server and profile, the latest first. */
  find(resource: string, profile: string): Promise<readonly SignIn[]>;
  write(signIn: SignIn): Promise<void>;
  remove(key: StoreKey): Promise<void>;
  list(): Promise<readonly SignIn[]>;
  /** Returns the visit that is under way under this name. */
  readVisit(name: string): Promise<Visit | undefined>;
  /** Keeps a visit for other copies of the program, or forgets it. Never fails: a visit can always be begun anew. */
  writeVisit(name: string, visit: Visit | undefined): Promise<void>;
  /**
   * Does `work` while no other copy of the program holds the lock of this name. The lock of an owner that died is
   * free again.
   *
   * @param name any text
   * @param signal ends the waiting, which then rejects with its reason; `work` gets one that aborts with it too
   */
  lock<T>(name: string, work: (signal: AbortSignal) => Promise<T>, signal?: AbortSignal): Promise<T>;
}

/** What the user has to type elsewhere to sign in (RFC 8628 section 3.3). */
export interface DeviceCode {
  readonly page: URL;
  readonly code: string;
  /** The page with the code filled in. */
  readonly completePage?: URL;
}

/** How the callback of one sign-in is wanted. */
export interface CallbackRequest {
  /** The redirect URL that the user gave and the authorization server knows; it must be listened on as it is. */
  readonly redirectUrl?: URL;
  /** The port that the user gave; when it is taken, that is an error. */
  readonly port?: number;
  /** A port that would be best, since it was registered; another one is used when it is taken. */
  readonly preferredPort?: number;
}

/** The user, as far as a sign-in needs one. */
export interface Person {
  /**
   * Gets ready to hear the answer of an authorization server: when this settles, `redirectUri` leads to us.
   *
   * @throws ConnectorError `MCPC_SIGN_IN` when the port asked for is taken
   */
  begin(request: CallbackRequest): Promise<Callback>;
  /** Shows what to type elsewhere, and returns at once. */
  showCode(code: DeviceCode): Promise<void>;
}

/** Waits for the one redirect back from the authorization server. */
export interface Callback {
  readonly redirectUri: string;
  /** Sends the user to this page, in a browser or, when it is in sight already, in words, and returns at once. */
  show(page: URL, options?: { readonly inSight?: boolean }): Promise<void>;
  /**
   * Returns the query of the first redirect whose `state` is this one, which is answered with a friendly page.
   *
   * @throws the signal's reason
   */
  answer(state: string, signal: AbortSignal): Promise<URLSearchParams>;
  /** Stops listening. Calling it again does nothing. */
  close(): Promise<void>;
}

/** What signs the messages to one endpoint. */
export interface Account {
  /** The page on which the user is asked to sign in, while that is under way and once it is known. */
  readonly page: URL | undefined;
  /**
   * Puts the access token on a message: at once while it is fresh, else when it was refreshed. Never asks the user.
   * Credentials that name another authorization already are left alone.
   */
  sign(credentials: Credentials): void | Promise<void>;
  /** Tells whether `sign` has seen to these credentials, with a token or for want of one without. */
  signed(credentials: Credentials): boolean;
  /**
   * Answers a refusal: takes a newer token, refreshes, signs in or asks for more rights. One at a time; callers that
   * come meanwhile share it.
   *
   * @param refused the header fields that the server refused, where they are known
   * @throws ConnectorError `MCPC_SIGN_IN` or `MCPC_AUTH_SERVER` when nothing of that worked
   */
  answer(challenge: Challenge, refused?: Credentials['headers']): Promise<void>;
  /** Gives up what is under way. */
  close(): Promise<void>;
}
