import type { Log } from '@mcp-connect/core';
import { openBrowser } from './browser.js';
import { isLoopback, listen, type Listener } from './callback.js';
import type { Callback, CallbackRequest, DeviceCode, Person } from './model.js';
import { askForAddress, openTerminal, type Terminal } from './paste.js';

/** How the user is reached. */
export interface PersonOptions {
  /** Whether a browser may be opened; else its address is only shown. */
  readonly browser: boolean;
  readonly log: Log;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly platform: NodeJS.Platform;
  /** Opens the terminal for a pasted address; defaults to that of this process. */
  openTerminal?(): Terminal | undefined;
}

/** The user at this machine: a browser where there is one, words on stderr, and a terminal to paste an address to. */
export class LocalPerson implements Person {
  readonly #options: PersonOptions;

  constructor(options: PersonOptions) {
    this.#options = options;
  }

  async begin(request: CallbackRequest): Promise<Callback> {
    const callback = new LocalCallback(
      request,
      (page, inSight) => this.#lead(page, inSight),
      this.#options.openTerminal ?? openTerminal,
    );
    await callback.open();
    return callback;
  }

  async showCode({ page, code, completePage }: DeviceCode): Promise<void> {
    this.#options.log.warn?.('sign in at %s with the code %s', page.href, code);
    if (completePage !== undefined) await this.#open(completePage);
  }

  async #lead(page: URL, inSight: boolean): Promise<void> {
    this.#options.log.warn?.('sign in at %s', page.href);
    if (!inSight) await this.#open(page);
  }

  async #open(page: URL): Promise<void> {
    const { browser, ...place } = this.#options;
    if (!browser) return;
    const opened = await openBrowser(page, place);
    if (!opened) place.log.warn?.('no browser can be opened here: open the address yourself');
  }
}

/** Waits at a loopback port, and at the terminal where there is one. */
class LocalCallback implements Callback {
  readonly #request: CallbackRequest;
  readonly #lead: (page: URL, inSight: boolean) => Promise<void>;
  readonly #openTerminal: () => Terminal | undefined;
  readonly #answered: Promise<URLSearchParams>;
  readonly #take: (query: URLSearchParams) => void;
  #listener: Listener | undefined;
  #stopAsking: (() => void) | undefined;
  #state: string | undefined;
  #closed: Promise<void> | undefined;

  constructor(
    request: CallbackRequest,
    lead: (page: URL, inSight: boolean) => Promise<void>,
    openTheTerminal: () => Terminal | undefined,
  ) {
    this.#request = request;
    this.#lead = lead;
    this.#openTerminal = openTheTerminal;
    const { promise, resolve } = deferred<URLSearchParams>();
    this.#answered = promise;
    this.#take = resolve;
  }

  get redirectUri(): string {
    return this.#listener?.redirectUri ?? this.#request.redirectUrl!.href;
  }

  /** Binds the port, unless the redirect leads to another machine: then its address can only be pasted. */
  async open(): Promise<void> {
    const { redirectUrl } = this.#request;
    if (redirectUrl !== undefined && !isLoopback(redirectUrl)) return;
    this.#listener = await listen({
      ...this.#request,
      isOurs: (query) => this.#isOurs(query),
      take: this.#take,
    });
  }

  async show(page: URL, { inSight = false } = {}): Promise<void> {
    this.#state ??= page.searchParams.get('state') ?? undefined;
    await this.#lead(page, inSight);
    const terminal = this.#openTerminal();
    if (terminal === undefined) return;
    const { redirectUri } = this;
    this.#stopAsking = askForAddress({
      terminal,
      redirectUri,
      isOurs: (query) => this.#isOurs(query),
      take: this.#take,
    });
  }

  answer(state: string, signal: AbortSignal): Promise<URLSearchParams> {
    this.#state = state;
    return Promise.race([this.#answered, aborted(signal)]);
  }

  close(): Promise<void> {
    return (this.#closed ??= this.#close());
  }

  async #close(): Promise<void> {
    this.#stopAsking?.();
    await this.#listener?.close();
  }

  #isOurs(query: URLSearchParams): boolean {
    return this.#state !== undefined && query.get('state') === this.#state;
  }
}

/** Rejects with the signal's reason when it aborts. */
function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    const abort = (): void => reject(signal.reason as Error);
    if (signal.aborted) abort();
    else signal.addEventListener('abort', abort, { once: true });
  });
}

function deferred<T>(): { promise: Promise<T>; resolve(value: T): void } {
  let resolve!: (value: T) => void;
  const promise = new Promise<T>((settle) => (resolve = settle));
  return { promise, resolve };
}
