import { ConnectorError, type ErrorCode } from '@mcp-connect/core';

const SCHEME = /^bearer\s+/i;
const VISIBLE = /^[\x21-\x7e]+$/;

/** Where a token comes from. */
export interface TokenSource {
  /** Returns the token for a request. */
  token(): string | Promise<string>;
  /**
   * Returns the token for a request that was refused, another one where there is another.
   *
   * @param refused the token that was refused, where that is known
   */
  renew(refused: string | undefined): string | Promise<string>;
}

/** What an error about a token says. */
export interface TokenOrigin {
  /** The flag that named the token's place, without dashes. */
  readonly flag: string;
  readonly code: ErrorCode;
}

/**
 * Returns the token alone: blanks around it and a scheme in front of it come with copying.
 *
 * @throws ConnectorError when no header can carry it; the text is not shown
 */
export function tokenIn(text: string, { flag, code }: TokenOrigin): string {
  const token = text.trim().replace(SCHEME, '');
  if (VISIBLE.test(token)) return token;
  const what =
    token === '' ? 'is empty' : 'holds a blank, a line break or a letter that a header cannot carry';
  throw new ConnectorError(code, `The token of --${flag} ${what}.`, {
    hint: 'Give the token alone: visible ASCII characters, with nothing before or behind them',
  });
}
