import type { Grant } from './model.js';

/** What the user has settled about signing in; everything else is found out. */
export interface Config {
  readonly grant: Grant;
  /** The account, as in `--profile`. */
  readonly profile: string;
  /** Whether a person may be asked to sign in; what is stored is used and renewed in any case. */
  readonly asks: boolean;
  readonly clientId?: string;
  readonly clientSecret?: string;
  /** The URL of a Client ID Metadata Document of ours. */
  readonly metadataUrl?: string;
  /** A file with the private key that proves who we are (RFC 7523 section 2.2). */
  readonly privateKeyFile?: string;
  /** Scopes to ask for instead of those that the server names. */
  readonly scopes?: readonly string[];
  /** The value for the `resource` parameter instead of what the server names. */
  readonly resource?: string;
  /** Parameters to add to the authorization request. */
  readonly authorizeParams: Readonly<Record<string, string>>;
  readonly authUrl?: string;
  readonly tokenUrl?: string;
  readonly redirectUrl?: URL;
  readonly callbackPort?: number;
  /** Where an assertion comes from: a file, or the output of a command. */
  readonly assertionFile?: string;
  readonly assertionCommand?: string;
  /** The identity provider of an enterprise. */
  readonly idp?: {
    readonly issuer?: string;
    readonly tokenUrl?: string;
    readonly clientId?: string;
    readonly clientSecret?: string;
  };
  readonly dpop: boolean;
}
