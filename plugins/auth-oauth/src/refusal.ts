import { ConnectorError, type ConnectorErrorOptions } from '@mcp-connect/core';

/** What an authorization server said when it refused something (RFC 6749 section 5.2). */
export interface RefusalBody {
  /** The error code, such as `invalid_grant`. */
  readonly error?: string;
  /** The code and the description for people, in brackets with the HTTP status where there is one. */
  readonly text: string;
}

/** Reports that an authorization server refused something, with the code that it gave. */
export class Refusal extends ConnectorError {
  /** The error code, such as `invalid_grant`; left out where the server gave none. */
  readonly error: string | undefined;

  constructor(message: string, options: ConnectorErrorOptions & { readonly error?: string | undefined }) {
    const { error, ...rest } = options;
    super('MCPC_SIGN_IN', message, rest);
    this.error = error;
  }

  /** What holds for every error of ours must not hold for this kind. */
  static override [Symbol.hasInstance](value: unknown): boolean {
    return Function.prototype[Symbol.hasInstance].call(this, value);
  }
}

const LONGEST = 200;

/** Reads the body of a refusal. What it says is cut short and cleaned, since it is shown to the user. */
export function refusalIn(body: Readonly<Record<string, unknown>> | undefined, status?: number): RefusalBody {
  const { error, error_description: description } = body ?? {};
  const parts = [status?.toString(), error, description].filter((part) => typeof part === 'string');
  return {
    ...(typeof error === 'string' && { error }),
    text: `(${parts.map(plain).join(', ')})`,
  };
}

/** Takes out what could steer a terminal or pass for words of ours. */
function plain(text: string): string {
  return text
    .replace(/[^\p{L}\p{N}\p{P}\p{S} ]/gu, ' ')
    .slice(0, LONGEST)
    .trim();
}
