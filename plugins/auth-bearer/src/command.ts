import { outputOf, type Log, type Settings } from '@mcp-connect/core';
import { tokenIn, type TokenSource } from './token.js';

const FLAG = 'auth-token-command';
const CODE = 'MCPC_SIGN_IN';

/** The share of `--timeout` that the command may take, so that there is time left to say that it took too long. */
const SHARE = 0.75;

/** A token that a program prints. Its first run and each run behind a refusal are shared by all who wait for it. */
export class TokenCommand implements TokenSource {
  readonly #words: readonly string[];
  readonly #log: Log;
  readonly #timeout: number;
  #token: string | undefined;
  #running: Promise<string> | undefined;

  constructor(words: readonly string[], { log, settings }: { log: Log; settings: Settings }) {
    this.#words = words;
    this.#log = log;
    this.#timeout = settings.timeout * SHARE;
  }

  token(): string | Promise<string> {
    return this.#token ?? this.#run();
  }

  /** A token that was replaced since the request left is no reason for another run. */
  renew(refused: string | undefined): string | Promise<string> {
    const replaced = refused !== undefined && this.#token !== undefined && this.#token !== refused;
    return replaced && this.#running === undefined ? this.#token! : this.#run();
  }

  #run(): Promise<string> {
    return (this.#running ??= this.#ask().finally(() => (this.#running = undefined)));
  }

  async #ask(): Promise<string> {
    const options = { source: `--${FLAG}`, code: CODE, timeout: this.#timeout, log: this.#log } as const;
    this.#token = tokenIn(await outputOf(this.#words, options), { flag: FLAG, code: CODE });
    this.#log.hide(this.#token);
    return this.#token;
  }
}
