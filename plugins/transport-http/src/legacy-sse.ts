import {
  cancelledId,
  ConnectorError,
  heed,
  keyOf,
  outlineOf,
  reasonOf,
  type Credentials,
  type Envelope,
  type Outline,
  type RequestId,
  type Transport,
  type TransportContext,
} from '@mcp-connect/core';
import { notMcp, refuseTooLarge, tooLarge, untaken } from './body.js';
import { postHeaders, signedHeaders, streamHeaders } from './headers.js';
import { Intake } from './intake.js';
import { refusalOf } from './status.js';
import { isEventStream, readEvents } from './event-reader.js';
import { MOST_TOLD, Turns } from './turns.js';
import { discard, openWire, type HttpRequest, type Wire } from './wire.js';

/** How long a server may take to acknowledge a request whose answer has come or is not wanted, in milliseconds. */
const LINGER = 1_000;

/**
 * Opens HTTP with SSE, the transport of 2024-11-05: one GET stream brings every message of the server, and its first
 * event names the address to which messages are posted (2024-11-05 basic/transports, HTTP with SSE).
 *
 * @throws ConnectorError where no such stream is offered or it names no address
 */
export async function openLegacySse(context: TransportContext): Promise<Transport> {
  const wire = await openWire(context);
  const credentials = await context.credentials();
  const headers = streamHeaders(credentials.headers);
  const signed = signedHeaders(credentials, { method: 'GET', url: wire.url, headers });
  return new Promise<Transport>((resolve, reject) =>
    new LegacySse(context, wire).open(signed, resolve, reject),
  );
}

class LegacySse implements Transport {
  readonly #context: TransportContext;
  readonly #wire: Wire;
  #stream: HttpRequest | undefined;
  /** Where messages are posted; known from the first event on. */
  #address: URL | undefined;
  /** Gives up the POSTs of requests that wait for their answers: one that is never acknowledged takes up a connection. */
  readonly #posts = new Map<RequestId, () => void>();
  readonly #told = new Turns(MOST_TOLD);
  #closed = false;

  constructor(context: TransportContext, wire: Wire) {
    this.#context = context;
    this.#wire = wire;
  }

  open(
    headers: Readonly<Record<string, string>>,
    resolve: (transport: Transport) => void,
    reject: (error: ConnectorError) => void,
  ): void {
    const { endpoint, signal } = this.#context;
    const abort = (): void => give(silent(endpoint.label));
    const give = (error: ConnectorError): void => {
      signal.removeEventListener('abort', abort);
      void this.close();
      reject(error);
    };
    if (signal.aborted) return abort();
    signal.addEventListener('abort', abort);
    const request = { method: 'GET', headers, urgent: true } as const;
    this.#stream = this.#wire.request(request, {
      onerror: give,
      onresponse: (response) => {
        if (!isEventStream(response)) {
          discard(response);
          return give(refusalOf(response, { label: endpoint.label, session: false, headers }));
        }
        const { onalive } = this.#context;
        if (onalive !== undefined) heed(response, () => onalive());
        readEvents(response, {
          context: this.#context,
          intake: new Intake(),
          // Before it has said where messages go, nobody has asked it anything.
          onmessage: (envelope) => (this.#address === undefined ? undefined : this.#take(envelope)),
          onother: ({ event, data }, error) => {
            if (error !== undefined) this.#spoilt(data, error);
            if (this.#address !== undefined || event !== 'endpoint') return;
            this.#address = this.#addressOf(Buffer.concat(data).toString());
            if (this.#address === undefined) give(foreignAddress(endpoint.label));
            signal.removeEventListener('abort', abort);
            resolve(this);
          },
          onoversize: (outline, length) => this.#oversize(outline, length),
          onend: () => {
            if (this.#address === undefined) give(silent(endpoint.label));
            else this.#lost();
          },
        });
      },
    });
  }

  send(envelope: Envelope, credentials: Credentials): Promise<void> {
    if (envelope.kind === 'request') return this.#post(envelope, credentials);
    if (envelope.method === 'notifications/cancelled') this.#release(cancelledId(envelope));
    return this.#told.run(() => this.#post(envelope, credentials));
  }

  async #post(envelope: Envelope, credentials: Credentials): Promise<void> {
    const { endpoint, settings } = this.#context;
    const url = this.#address;
    if (this.#closed || url === undefined) {
      throw new ConnectorError('MCPC_CONNECTION_LOST', `The stream of ${endpoint.label} has ended.`);
    }
    const key = envelope.kind === 'request' ? envelope.key : undefined;
    await new Promise<void>((resolve, reject) => {
      const unsigned = postHeaders(credentials.headers);
      const headers = signedHeaders(credentials, {
        method: 'POST',
        url,
        headers: unsigned,
        body: envelope.bytes,
      });
      const end = (): void => {
        clearTimeout(late);
        if (key !== undefined && this.#posts.get(key) === giveUp) this.#posts.delete(key);
      };
      const request = this.#wire.request(
        { method: 'POST', url, headers, body: envelope.bytes, urgent: key === undefined },
        {
          onerror: (error) => {
            end();
            reject(error);
          },
          onresponse: (response) => {
            end();
            discard(response);
            if (response.statusCode! < 300) resolve();
            else reject(refusalOf(response, { label: endpoint.label, session: true, headers }));
          },
        },
      );
      const giveUp = (): void => {
        request.abort();
        resolve();
      };
      if (key !== undefined) this.#posts.set(key, giveUp);
      const { timeout } = settings;
      const untold = (): void => {
        request.abort();
        reject(untaken(endpoint.label, timeout));
      };
      const late = key === undefined ? setTimeout(untold, timeout) : undefined;
    });
  }

  #take(envelope: Envelope): void | Promise<void> {
    if (envelope.kind === 'response') this.#release(envelope.key);
    return this.#context.onmessage(envelope);
  }

  /** Waits no longer for the acknowledgement of a request that needs no answer any more. */
  #release(key: RequestId | undefined): void {
    const giveUp = key === undefined ? undefined : this.#posts.get(key);
    if (key === undefined || giveUp === undefined) return;
    this.#posts.delete(key);
    setTimeout(giveUp, LINGER).unref();
  }

  /** The stream is the session: only an answer on it shows that it lives. */
  wake(): boolean {
    this.#wire.rest();
    return true;
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#stream?.abort();
    this.#wire.close();
  }

  /** A broken event that still shows whose answer it was to be is that request's end. */
  #spoilt(data: readonly Buffer[], cause: unknown): void {
    const { id, method } = outlineOf(data);
    const key = id === undefined ? undefined : keyOf(id);
    if (key === undefined || method !== undefined) return;
    const { endpoint, onlost } = this.#context;
    onlost(key, notMcp(endpoint.label, 'an event', cause));
  }

  /** An answer that is too large fails its request, and a request of the server is refused. */
  #oversize({ id, method }: Outline, length: number): void {
    const { endpoint, settings, log, onlost } = this.#context;
    log.warn?.('%s sent a message of %d bytes, which is dropped', endpoint.label, length);
    const key = id === undefined ? undefined : keyOf(id);
    if (id === undefined || key === undefined) return;
    if (method === undefined) onlost(key, tooLarge(endpoint.label, settings.maxMessageSize));
    else void this.#refuse(id);
  }

  /** The server waits for an answer to its request, also where that is too large to be kept. */
  async #refuse(idText: string): Promise<void> {
    const { endpoint, settings, log, credentials } = this.#context;
    try {
      await this.send(refuseTooLarge(idText, settings.maxMessageSize), await credentials());
    } catch (error) {
      log.warn?.('%s was not told that its request is too large: %s', endpoint.label, reasonOf(error));
    }
  }

  #lost(): void {
    if (this.#closed) return;
    void this.close();
    const { endpoint, onclose } = this.#context;
    const text = `${endpoint.label} ended its stream.`;
    onclose(new ConnectorError('MCPC_CONNECTION_LOST', text, { delivered: 'unknown' }));
  }

  /** Messages carry credentials, so their address must be of the same origin as the stream. */
  #addressOf(text: string): URL | undefined {
    const { url } = this.#wire;
    const address = URL.canParse(text, url.href) ? new URL(text, url.href) : undefined;
    if (address?.origin !== url.origin) return undefined;
    // The address holds the session's id.
    this.#context.log.hide(...address.searchParams.values());
    return address;
  }
}

function silent(label: string): ConnectorError {
  return new ConnectorError('MCPC_CONNECT', `${label} offered a stream, but named no address for messages.`, {
    hint: 'Check that the endpoint is the one for MCP; many servers use /sse or /mcp',
  });
}

function foreignAddress(label: string): ConnectorError {
  return new ConnectorError(
    'MCPC_CONNECT',
    `${label} wants messages sent to another origin, which is refused.`,
    {
      hint: 'Report this to the operators of the server',
    },
  );
}
