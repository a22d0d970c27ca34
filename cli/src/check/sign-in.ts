import type { Challenge, Plugin } from '@mcp-connect/core';

/** Credentials are looked at when all plugins have filled them in. */
const LAST = 1_000;

/** What is no proof of who we are. */
const PLAIN_HEADERS = new Set(['user-agent', 'accept-language']);

/** Watches how signing in goes: what the server asked for, and what it was given. */
export class SignInWatch {
  /** The first refusal for want of rights. */
  challenge: Challenge | undefined;
  #headers: readonly string[] = [];

  /** Returns the plugin that does the watching. */
  plugin(): Plugin {
    return {
      name: 'mcp-connect:check',
      apply: ({ hooks }) =>
        hooks.authenticate.tap({ name: 'mcp-connect:check', stage: LAST }, ({ challenge, headers }) => {
          this.challenge ??= challenge;
          this.#headers = Object.keys(headers).filter((name) => !PLAIN_HEADERS.has(name));
        }),
    };
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
  const oauth = /\bresource_metadata\s*=/i.test(wwwAuthenticate ?? '') ? ', OAuth' : '';
  return `HTTP ${status}${scheme === undefined ? '' : `, ${scheme}`}${oauth}`;
}
