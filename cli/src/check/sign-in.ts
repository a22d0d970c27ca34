import type { Challenge, Plugin } from '@mcp-connect/core';
import type { WireWatch } from './wire-watch.js';

const NAME = 'mcp-connect:check';

/** Credentials are looked at when all plugins have filled them in. */
const LAST = 1_000;

/** The parameter of a challenge that leads to the authorization server. */
const METADATA = /\bresource_metadata\s*=/i;

/** What is no proof of who we are. */
const PLAIN_HEADERS = new Set(['user-agent', 'accept-language']);

/** Watches how signing in goes: what the server asked for, and what it was given. */
export class SignInWatch {
  readonly #watch: WireWatch;
  #headers: readonly string[] = [];

  /** @param watch sees refusals that a plugin deals with before anyone else hears of them */
  constructor(watch: WireWatch) {
    this.#watch = watch;
  }

  /** The first refusal for want of rights. */
  get challenge(): Challenge | undefined {
    return this.#watch.challenge;
  }

  /** Returns the plugin that does the watching. */
  plugin(): Plugin {
    return {
      name: NAME,
      apply: ({ hooks }) => {
        hooks.authenticate.tap({ name: NAME, stage: LAST }, ({ headers }) => {
          this.#headers = Object.keys(headers).filter((name) => !PLAIN_HEADERS.has(name));
        });
      },
    };
  }

  /** True when the server names where to sign in with OAuth (RFC 9728 section 5.1). */
  get offersOauth(): boolean {
    return METADATA.test(this.challenge?.wwwAuthenticate ?? '');
  }

  /** True when the server was shown something that should have let us in. */
  get tried(): boolean {
    return this.#headers.length > 0;
  }

  /** Words what was needed and how it was met, once the server has let us in. */
  get words(): string {
    const sent = this.tried ? `sent ${this.#headers.join(', ')}` : 'nothing was sent';
    if (this.challenge === undefined) return this.tried ? sent : 'not needed';
    return `needed (${wordsOf(this.challenge)}); ${sent}`;
  }
}

/** Words a challenge without its parameters' values, apart from the scheme (RFC 9110 section 11.6.1). */
export function wordsOf({ status, wwwAuthenticate }: Challenge): string {
  const scheme = /^\s*([!#$%&'*+.^_`|~0-9a-z-]+)/i.exec(wwwAuthenticate ?? '')?.[1];
  const oauth = METADATA.test(wwwAuthenticate ?? '') ? ', OAuth' : '';
  return `HTTP ${status}${scheme === undefined ? '' : `, ${scheme}`}${oauth}`;
}
