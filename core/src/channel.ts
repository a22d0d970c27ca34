import type { Readable, Writable } from 'node:stream';
import { Envelope } from './envelope.js';
import { ConnectorError, toConnectorError } from './errors.js';
import { heed } from './heed.js';
import { LineSplitter, LineWriter } from './lines.js';
import { keyOf, refusal } from './reply.js';
import { outlineOf, type Outline } from './scan.js';
import type { Transport, TransportContext } from './transport.js';

/** How much of a line that is no message a log shows, in bytes. */
const SHOWN = 200;

/** What a {@link LineChannel} is made from. */
export interface LineChannelOptions {
  /** Where the server's messages come from. */
  readonly input: Readable;
  /** Where messages to the server go; a socket is both. */
  readonly output: Writable;
  readonly context: TransportContext;
}

/**
 * Speaks newline-delimited JSON over a pair of streams: the part that a transport over pipes and one over sockets have
 * in common (MCP basic/transports, stdio; 2026-07-28 asks other byte streams to reuse its framing). Opening and ending
 * the streams is the transport's own business.
 */
export class LineChannel implements Pick<Transport, 'send' | 'drain'> {
  readonly #context: TransportContext;
  readonly #output: Writable;
  readonly #writer: LineWriter;
  readonly #splitter: LineSplitter;
  #closed = false;
  /** Settles when the input has ended properly and its last message is handed over. */
  readonly ended: Promise<void>;

  constructor({ input, output, context }: LineChannelOptions) {
    this.#context = context;
    this.#output = output;
    this.#writer = new LineWriter(output);
    this.#splitter = new LineSplitter({
      maxLength: context.settings.maxMessageSize,
      online: (line, ended) => this.#receive(line, ended),
      onoversize: (outline, length) => this.#oversize(outline, length),
    });
    if (context.onalive !== undefined) heed(input, () => context.onalive?.());
    input.on('data', (chunk: Buffer) => {
      const pause = this.#splitter.push(chunk);
      if (pause === undefined) return;
      input.pause();
      const resume = (): void => void input.resume();
      void pause.then(resume, resume);
    });
    this.ended = new Promise((resolve) => {
      input.once('end', () => {
        this.#splitter.end();
        resolve();
      });
    });
  }

  /**
   * Writes one message as a line.
   *
   * @throws ConnectorError `MCPC_CONNECTION_LOST`, delivered `no`, once the output takes nothing more
   */
  send(envelope: Envelope): void {
    if (this.#closed || !this.#output.writable) {
      throw new ConnectorError('MCPC_CONNECTION_LOST', `The connection to ${this.#label} is closed.`);
    }
    void this.#writer.write(envelope.line);
  }

  /** Returns a promise that settles when the server has read on, or undefined while it keeps up. */
  drain(): Promise<void> | undefined {
    return this.#writer.blocked;
  }

  /** Hands the lines of this turn of the event loop to the output, so that the output may be ended behind them. */
  flush(): void {
    this.#writer.flush();
  }

  /** Refuses further messages and tells the context, once, why. */
  close(error?: ConnectorError): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#context.onclose(error);
  }

  get #label(): string {
    return this.#context.endpoint.label;
  }

  #receive(line: Buffer, ended: boolean): void | Promise<void> {
    let envelope: Envelope;
    try {
      envelope = ended ? Envelope.read(line) : Envelope.read(line, { framed: false });
    } catch (error) {
      this.#spoilt(line, toConnectorError(error, 'MCPC_PARSE'));
      return undefined;
    }
    return this.#context.onmessage(envelope);
  }

  /**
   * Banners and stray prints are common, and a client must never see them (MCP basic/transports, stdio). A broken line
   * that still shows whose answer it was to be is that request's end.
   */
  #spoilt(line: Buffer, cause: ConnectorError): void {
    const head = line.subarray(0, SHOWN).toString();
    this.#context.log.warn?.('%s wrote a line that was dropped: %s %s', this.#label, cause.message, head);
    const { id, method } = outlineOf(line);
    const key = id === undefined ? undefined : keyOf(id);
    if (key === undefined || method !== undefined) return;
    const text = `${this.#label} answered with a line that is no valid message.`;
    const hint = 'Report this to the authors of the server';
    this.#context.onlost(
      key,
      new ConnectorError('MCPC_BAD_RESPONSE', text, { cause, hint, delivered: 'unknown' }),
    );
  }

  /** Lets an answer that is too large fail its request, and answers a request that is too large. */
  #oversize({ id, method }: Outline, length: number): void {
    const limit = this.#context.settings.maxMessageSize;
    const error = new ConnectorError(
      'MCPC_TOO_LARGE',
      `${this.#label} sent a message of ${length} bytes, over the limit of ${limit}.`,
      { hint: 'Allow larger ones with --max-message-size BYTES', delivered: 'unknown' },
    );
    this.#context.log.warn?.('%s', error.message);
    const key = id === undefined ? undefined : keyOf(id);
    if (id === undefined || key === undefined) return;
    if (method === undefined) this.#context.onlost(key, error);
    else if (this.#output.writable) this.send(refusal(id, error));
  }
}
