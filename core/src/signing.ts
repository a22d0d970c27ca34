import { isDeepStrictEqual } from 'node:util';
import type { Endpoint } from './endpoint.js';
import type { Envelope } from './envelope.js';
import { ConnectorError, type Challenge } from './errors.js';
import type { Hooks } from './contract.js';
import { after, runHook } from './hooks.js';
import type { Credentials, Transport } from './transport.js';

/** Whom messages are signed for, and by what. */
export interface SigningOptions {
  readonly endpoint: Endpoint;
  readonly hooks: Hooks;
}

/** Signs what goes to one endpoint, by the `authenticate` hook. */
export class Signing {
  readonly #options: SigningOptions;

  constructor(options: SigningOptions) {
    this.#options = options;
  }

  /** Runs `authenticate` for one attempt, or for a stream that the transport opens by itself. */
  credentials(challenge?: Challenge, refused?: Credentials['refused']): Credentials | Promise<Credentials> {
    const credentials: Credentials =
      challenge === undefined
        ? { headers: {} }
        : { headers: {}, challenge, ...(refused !== undefined && { refused }) };
    const { hooks, endpoint } = this.#options;
    if (hooks.authenticate.taps.length === 0) return credentials;
    const ran = runHook(hooks.authenticate, credentials, endpoint);
    return ran instanceof Promise ? ran.then(() => credentials) : credentials;
  }

  /**
   * Sends a message that no dispatcher carries. It goes out once more when the credentials are refused and there are
   * others.
   *
   * @throws ConnectorError as `Transport.send` does, also as a rejection
   */
  send(transport: Transport, envelope: Envelope): void | Promise<void> {
    return after(this.credentials(), (first) => {
      const again = async (error: unknown): Promise<void> => {
        if (!(error instanceof ConnectorError) || error.challenge === undefined) throw error;
        const second = await this.credentials(error.challenge, first.headers);
        if (isRefused(second)) throw error;
        await transport.send(envelope, second);
      };
      try {
        return transport.send(envelope, first)?.catch(again);
      } catch (error) {
        return again(error);
      }
    });
  }
}

/** Tells whether credentials are those that were refused: nothing that signs in had any others. */
export function isRefused({ headers, refused, prove }: Credentials): boolean {
  // A proof is another one every time.
  return prove === undefined && isDeepStrictEqual(headers, refused);
}
