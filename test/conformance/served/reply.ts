import type { ServerResponse } from 'node:http';

/** A reply over HTTP: JSON where the answer is all of it, and a stream of events otherwise. */
export class Reply {
  readonly #response: ServerResponse;
  #answered = false;

  constructor(response: ServerResponse) {
    this.#response = response;
  }

  get isAnswered(): boolean {
    return this.#answered;
  }

  /** Begins a stream, so that the client knows of it. */
  begin(): void {
    if (this.#response.headersSent) return;
    this.#response.writeHead(200, { 'content-type': 'text/event-stream' });
    this.#response.flushHeaders();
  }

  /** Says something that is not the answer. */
  say(text: string): void {
    this.begin();
    this.#response.write(`event: message\ndata: ${text}\n\n`);
  }

  /** Gives the answer, and with it ends. The status is that of a reply without anything before it. */
  answer(text: string, status = 200): void {
    this.#answered = true;
    if (!this.#response.headersSent) {
      this.#response.writeHead(status, { 'content-type': 'application/json' }).end(text);
      return;
    }
    this.say(text);
    this.end();
  }

  end(): void {
    this.#response.end();
  }
}
