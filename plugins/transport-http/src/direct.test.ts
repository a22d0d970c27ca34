import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { Agent } from 'node:http';
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { createServer as createSecureServer, type TLSSocket } from 'node:tls';
import { promisify } from 'node:util';
import { ConnectorError, createLog, DEFAULT_SETTINGS, parseEndpoint, type Settings } from '@mcp-connect/core';
import { expect } from 'chai';
import { generate } from 'selfsigned';
import { directSender } from './direct.js';
import { Queue } from './peer.test.js';
import type { Reply } from './reply.js';
import type { Keeping } from './sender.js';
import { openWire, type HttpOutgoing, type HttpRequest, type Wire } from './wire.js';

const LARGE = Buffer.alloc(16 * 1024 * 1024, 'x');

/** The far end of one connection, which says byte by byte what the test wants. */
class Far {
  readonly socket: Socket;
  /** Settles when the near side has closed. */
  readonly closed: Promise<void>;
  #text = '';
  /** Of the whole request; 0 until its head is there. */
  #length = 0;
  readonly #arrivals: Queue<Arrival>;

  constructor(socket: Socket, arrivals: Queue<Arrival>) {
    this.socket = socket;
    this.#arrivals = arrivals;
    this.closed = new Promise<void>((resolve) => socket.once('end', resolve).once('close', resolve));
    socket.on('error', () => undefined);
    socket.on('data', (chunk: Buffer) => this.#take(chunk));
  }

  #take(chunk: Buffer): void {
    this.#text += chunk.toString('latin1');
    if (this.#length === 0) {
      const end = this.#text.indexOf('\r\n\r\n') + 4;
      if (end === 3) return;
      this.#length = end + Number(/content-length: (\d+)/.exec(this.#text.slice(0, end))?.[1] ?? 0);
    }
    if (this.#text.length < this.#length) return;
    expect(this.#text).to.have.lengthOf(this.#length);
    this.#arrivals.push({ far: this, text: this.#text });
    this.#text = '';
    this.#length = 0;
  }

  /** Takes the next whole request that comes here. */
  async request(): Promise<string> {
    return (await this.#arrivals.take(({ far }) => far === this)).text;
  }

  /** Says these bytes, and settles when they have left. */
  say(text: string): Promise<void> {
    return new Promise((resolve) => this.socket.write(text, 'latin1', () => resolve()));
  }

  /** Answers with this body. */
  answer(body: string, fields = ''): Promise<void> {
    return this.say(`HTTP/1.1 200 OK\r\n${fields}content-length: ${body.length}\r\n\r\n${body}`);
  }
}

/** A whole request and where it came. */
interface Arrival {
  readonly far: Far;
  readonly text: string;
}

interface Answer {
  readonly status: number;
  readonly body: string;
}

/** What became of a request. */
interface Asked {
  readonly answer: Promise<Answer>;
  readonly request: HttpRequest;
}

async function whole(reply: Reply): Promise<Answer> {
  const chunks: Buffer[] = [];
  reply.on('data', (chunk) => chunks.push(chunk));
  let ended = false;
  reply.on('end', () => (ended = true));
  await new Promise<void>((resolve) => reply.once('close', resolve));
  if (!ended) throw new Error('cut');
  return { status: reply.statusCode!, body: Buffer.concat(chunks).toString('latin1') };
}

function ask(wire: Wire, outgoing: Partial<HttpOutgoing> = {}): Asked {
  let request!: HttpRequest;
  const answer = new Promise<Answer>((resolve, reject) => {
    request = wire.request(
      { method: 'POST', headers: {}, body: Buffer.from('{}'), ...outgoing },
      { onresponse: (reply) => resolve(whole(reply)), onerror: reject },
    );
  });
  return { answer, request };
}

async function failure(answer: Promise<unknown>): Promise<ConnectorError> {
  const error = await answer.then(
    () => expect.fail('it was answered'),
    (reason: unknown) => reason,
  );
  expect(error).to.be.instanceOf(ConnectorError);
  return error as ConnectorError;
}

describe('Connections of our own', () => {
  const servers: Server[] = [];
  const open: { close(): void }[] = [];
  const sockets: Socket[] = [];
  let accepted: Queue<Far>;
  let arrivals: Queue<Arrival>;
  let wire: Wire;
  let url: string;

  const listen = async (server: Server): Promise<number> => {
    servers.push(server);
    server.on(
      server.listenerCount('secureConnection') > 0 ? 'secureConnection' : 'connection',
      (socket: Socket) => {
        sockets.push(socket);
        accepted.push(new Far(socket, arrivals));
      },
    );
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return (server.address() as AddressInfo).port;
  };
  const contextOf = (address: string, settings: Partial<Settings>): Parameters<typeof openWire>[0] => ({
    endpoint: parseEndpoint(address),
    settings: { ...DEFAULT_SETTINGS, ...settings },
    log: createLog({ level: 'error', write: () => undefined }),
    signal: new AbortController().signal,
    credentials: async () => ({ headers: {} }),
    onmessage: () => undefined,
    onforgotten: () => undefined,
    onmissed: () => undefined,
    onlost: () => undefined,
    onclose: () => undefined,
  });
  const openTo = async (address: string, settings: Partial<Settings> = {}): Promise<Wire> => {
    const made = await openWire(contextOf(address, settings));
    open.push(made);
    return made;
  };
  /** A wire that keeps its connections in another way. */
  const openKeeping = async (keeping: Keeping): Promise<Wire> => {
    const sender = await directSender(new URL(url), contextOf(url, {}), keeping);
    open.push(sender);
    return {
      url: new URL(url),
      request: ({ method, headers, body, urgent = false }, events) =>
        sender.send({ method, url: new URL(url), headers, body, urgent, ...events }),
      rest: () => sender.rest(),
      close: () => sender.close(),
    };
  };

  beforeEach(async () => {
    accepted = new Queue();
    arrivals = new Queue();
    url = `http://127.0.0.1:${await listen(createServer({ allowHalfOpen: true }))}/mcp`;
    wire = await openTo(url);
  });
  afterEach(async () => {
    for (const one of open.splice(0)) one.close();
    for (const socket of sockets.splice(0)) socket.destroy();
    for (const server of servers.splice(0)) {
      server.close();
      await once(server, 'close');
    }
    expect(arrivals.size).to.equal(0);
  });

  /** Asks over a new connection and has it answered. */
  async function first(fields = ''): Promise<Far> {
    const { answer } = ask(wire);
    const { far } = await arrivals.take();
    await far.answer('first', fields);
    expect(await answer).to.deep.equal({ status: 200, body: 'first' });
    return far;
  }

  /** Asks again, and finds out whether that comes over the same connection. */
  async function comesAgain(far: Far): Promise<boolean> {
    const { answer } = ask(wire);
    const { far: next } = await arrivals.take();
    await next.answer('second');
    expect(await answer).to.deep.equal({ status: 200, body: 'second' });
    return next === far;
  }

  describe('are used again', () => {
    it('the one that was used last first', async () => {
      const asked = [ask(wire), ask(wire)];
      const [{ far: one }, { far: two }] = [await arrivals.take(), await arrivals.take()];
      await two.answer('two');
      await Promise.race(asked.map(({ answer }) => answer));
      await one.answer('one');
      await Promise.all(asked.map(({ answer }) => answer));
      const again = ask(wire);
      await one.request();
      const third = ask(wire);
      await two.request();
      await Promise.all([one.answer('one'), two.answer('two')]);
      expect([await again.answer, await third.answer].map(({ body }) => body)).to.deep.equal(['one', 'two']);
    });

    for (const [what, fields, expected] of [
      ['unless the server is about to close it', 'Keep-Alive: max=9, timeout=1\r\n', false],
      ['where the server keeps it long enough', 'Keep-Alive: timeout=5\r\n', true],
      ['unless the server says that it closes it', 'Connection: Close\r\n', false],
    ] as const) {
      it(what, async () => {
        expect(await comesAgain(await first(fields))).to.equal(expected);
      });
    }

    it('unless the server speaks HTTP/1.0 and says nothing', async () => {
      const { answer } = ask(wire);
      const { far } = await arrivals.take();
      await far.say('HTTP/1.0 200 OK\r\ncontent-length: 1\r\n\r\na');
      expect(await answer).to.deep.equal({ status: 200, body: 'a' });
      expect(await comesAgain(far)).to.equal(false);
    });

    it('unless nobody has used it for too long', async () => {
      wire = await openKeeping({ idle: 20, most: 2 });
      await (
        await first()
      ).closed;
    });

    it('unless the server closes its side', async () => {
      const far = await first();
      far.socket.end();
      await far.closed;
      expect(await comesAgain(far)).to.equal(false);
    });

    it('after a reply that was held back at its end', async () => {
      const reply = new Promise<Reply>((resolve, reject) => {
        wire.request(
          { method: 'GET', headers: {} },
          {
            onresponse: (response) => {
              response.on('data', () => response.pause());
              response.on('end', () => resolve(response));
            },
            onerror: reject,
          },
        );
      });
      const { far } = await arrivals.take();
      await far.answer('first');
      await reply;
      expect(await comesAgain(far)).to.equal(true);
    });
  });

  describe('never take what nobody asked for as an answer:', () => {
    for (const [what, bytes] of [
      ['a whole response', 'HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nevil'],
      ['the beginning of one', 'HTTP/1.1 200 OK\r\ncontent-length: 4\r\n'],
      ['anything else', 'evil\r\n\r\n'],
    ] as const) {
      it(`${what} behind the answer`, async () => {
        const { answer } = ask(wire);
        const { far } = await arrivals.take();
        await far.say(`HTTP/1.1 200 OK\r\ncontent-length: 1\r\n\r\na${bytes}`);
        expect(await answer).to.deep.equal({ status: 200, body: 'a' });
        await far.closed;
        expect(await comesAgain(far)).to.equal(false);
      });

      it(`${what} while it is idle`, async () => {
        const far = await first();
        await far.say(bytes);
        await far.closed;
        expect(await comesAgain(far)).to.equal(false);
      });

      it(`${what} behind the answer, while another request waits`, async () => {
        wire = await openKeeping({ idle: 1_000, most: 1 });
        const one = ask(wire);
        const two = ask(wire);
        const { far } = await arrivals.take();
        await far.say(`HTTP/1.1 204 No\r\n\r\n${bytes}`);
        expect(await one.answer).to.deep.equal({ status: 204, body: '' });
        const { far: other } = await arrivals.take();
        await other.answer('good');
        expect(await two.answer).to.deep.equal({ status: 200, body: 'good' });
      });
    }
  });

  describe('tell how it ends while a large body is on its way:', () => {
    it('an early refusal by a server that reads no more', async () => {
      const { answer } = ask(wire, { body: LARGE });
      const far = await accepted.take();
      await once(far.socket, 'data');
      far.socket.pause();
      await far.say('HTTP/1.1 413 Too Large\r\ncontent-length: 2\r\n\r\nno');
      expect(await answer).to.deep.equal({ status: 413, body: 'no' });
      far.socket.resume();
      await far.closed;
    });

    it('a server that breaks off', async () => {
      const { answer } = ask(wire, { body: LARGE });
      const far = await accepted.take();
      await once(far.socket, 'data');
      far.socket.resetAndDestroy();
      expect(await failure(answer)).to.include({ code: 'MCPC_CONNECTION_LOST', delivered: 'unknown' });
    });

    it('a server that says no more and reads no more', async () => {
      const { answer } = ask(wire, { body: LARGE });
      const far = await accepted.take();
      await once(far.socket, 'data');
      far.socket.pause();
      far.socket.end();
      expect(await failure(answer)).to.include({ code: 'MCPC_CONNECTION_LOST', delivered: 'unknown' });
    });

    it('and carry it whole', async () => {
      const { answer } = ask(wire, { body: LARGE });
      const { far, text } = await arrivals.take();
      expect(text.endsWith(`\r\n\r\n${LARGE.toString('latin1')}`)).to.equal(true);
      await far.answer('thanks');
      expect(await answer).to.include({ body: 'thanks' });
      expect(await comesAgain(far)).to.equal(true);
    });
  });

  describe('are given up', () => {
    it('before anything is sent', async () => {
      const events: string[] = [];
      const { request, answer } = ask(wire);
      answer.finally(() => events.push('told')).catch(() => undefined);
      request.abort();
      await first();
      expect(events).to.deep.equal([]);
    });

    it('while the request waits for a free one', async () => {
      wire = await openKeeping({ idle: 1_000, most: 1 });
      const one = ask(wire);
      ask(wire, { headers: { 'x-name': 'given up' } }).request.abort();
      const three = ask(wire, { headers: { 'x-name': 'kept' } });
      const { far } = await arrivals.take();
      await far.answer('one');
      expect(await far.request()).to.include('x-name: kept');
      await far.answer('three');
      expect([await one.answer, await three.answer].map(({ body }) => body)).to.deep.equal(['one', 'three']);
    });

    it('while the answer is waited for', async () => {
      const { request } = ask(wire);
      const { far } = await arrivals.take();
      request.abort();
      await far.closed;
      await first();
    });

    it('while the answer is read, which then is cut', async () => {
      let request!: HttpRequest;
      let answer!: Promise<Answer>;
      const begun = new Promise<void>((begin) => {
        request = wire.request(
          { method: 'GET', headers: {} },
          {
            onresponse: (reply) => {
              answer = whole(reply);
              reply.on('data', () => begin());
            },
            onerror: () => undefined,
          },
        );
      });
      const { far } = await arrivals.take();
      await far.say('HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nhalf');
      await begun;
      request.abort();
      expect(await answer.catch(String)).to.equal('Error: cut');
      await far.closed;
    });

    it('by the reader of the answer, who hears no more of it', async () => {
      const heard: string[] = [];
      const over = new Promise<void>((resolve, reject) => {
        wire.request(
          { method: 'GET', headers: {} },
          {
            onresponse: (reply) => {
              heard.push('reply');
              reply.on('data', (chunk) => {
                heard.push(chunk.toString());
                reply.destroy();
              });
              reply.on('end', () => heard.push('end'));
              reply.on('close', resolve);
            },
            onerror: reject,
          },
        );
      });
      const { far } = await arrivals.take();
      const coded = 'transfer-encoding: chunked\r\n\r\n1\r\na\r\n1\r\nb\r\n0\r\n\r\n';
      await far.say(`HTTP/1.1 200 OK\r\n${coded}`.repeat(2));
      await over;
      expect(heard).to.deep.equal(['reply', 'a']);
      await far.closed;
    });

    it('all at once, the unused ones too', async () => {
      const far = await first();
      wire.close();
      await far.closed;
    });

    it('all at once, and whoever waits is told', async () => {
      wire = await openKeeping({ idle: 1_000, most: 1 });
      const errors: unknown[] = [];
      const asked = [ask(wire), ask(wire)].map(({ answer }) =>
        answer.catch((error: unknown) => errors.push(error)),
      );
      const { far } = await arrivals.take();
      wire.close();
      await Promise.all([...asked, far.closed]);
      expect(errors).to.have.lengthOf(2);
    });
  });

  it('are held back with their replies', async () => {
    let size = 0;
    const begun = new Promise<Reply>((begin, reject) => {
      wire.request(
        { method: 'GET', headers: {}, urgent: true },
        {
          onresponse: (reply) =>
            reply.on('data', (chunk) => {
              if (size === 0) {
                reply.pause();
                begin(reply);
              }
              size += chunk.length;
            }),
          onerror: reject,
        },
      );
    });
    const { far } = await arrivals.take();
    void far.answer(LARGE.toString('latin1'));
    const reply = await begun;
    const before = size;
    // Whatever flows would have come in the meantime.
    const other = await first();
    for (let round = 0; round < 5; round++) expect(await comesAgain(other)).to.equal(true);
    expect(size).to.equal(before);
    const ended = once(reply as never, 'end');
    reply.resume();
    await ended;
    expect(size).to.equal(LARGE.length);
  });

  describe('carry headers', () => {
    it('of one name once, whatever its case, and bytes beyond ASCII as they are', async () => {
      const { answer } = ask(wire, {
        headers: { 'X-Name': 'one', 'x-name': 'tw\xf6', Host: 'elsewhere', 'Transfer-Encoding': 'chunked' },
      });
      const { far, text } = await arrivals.take();
      const [head = ''] = text.split('\r\n\r\n');
      expect(head.split('\r\n')).to.have.members([
        'POST /mcp HTTP/1.1',
        'host: elsewhere',
        'connection: keep-alive',
        'x-name: tw\xf6',
        'content-length: 2',
      ]);
      await far.answer('');
      await answer;
    });

    for (const [where, makeAgent] of [
      ['directly', undefined],
      ['over the pools of the settings', () => new Agent()],
    ] as const) {
      for (const [what, headers] of Object.entries({
        'a line break in a value': { 'x-name': 'a\r\nx-other: b' },
        'a character that is no byte in a value': { 'x-name': '€' },
        'a line break in a name': { 'x\r\nname': 'a' },
        'no value': { 'x-name': undefined as unknown as string },
      })) {
        it(`but none with ${what}, ${where}; then nothing is sent`, async () => {
          wire = await openTo(url, makeAgent === undefined ? {} : { makeAgent });
          const error = await failure(ask(wire, { headers }).answer);
          expect(error).to.include({ code: 'MCPC_PLUGIN', delivered: 'no' });
        });
      }
    }
  });

  describe('are made', () => {
    it('to an address of IPv6', async () => {
      const { port } = new URL(url);
      wire = await openTo(`http://[::ffff:127.0.0.1]:${port}/mcp`);
      const { answer } = ask(wire);
      const { far, text } = await arrivals.take();
      expect(text).to.include(`\r\nhost: [::ffff:7f00:1]:${port}\r\n`);
      await far.answer('six');
      expect(await answer).to.include({ body: 'six' });
    });

    for (const version of ['TLSv1.2', 'TLSv1.3'] as const) {
      it(`with the TLS session of an earlier one (${version})`, async () => {
        const made = await generate([{ name: 'commonName', value: 'localhost' }], {
          keyType: 'ec',
          algorithm: 'sha256',
        });
        const server = createSecureServer({ cert: made.cert, key: made.private, maxVersion: version });
        server.on('secureConnection', () => undefined);
        const port = await listen(server);
        wire = await openTo(`https://127.0.0.1:${port}/mcp`, {
          tls: { ca: made.cert, rejectUnauthorized: false },
        });
        const far = await first();
        expect((far.socket as TLSSocket).isSessionReused()).to.equal(false);
        wire.rest();
        await far.closed;
        const again = await first();
        expect((again.socket as TLSSocket).isSessionReused()).to.equal(true);
      });
    }
  });

  it('do not keep a process alive while they are idle', async () => {
    const program = `
      import { openWire } from ${JSON.stringify(new URL('wire.js', import.meta.url).href)};
      const wire = await openWire({ endpoint: { url: new URL(process.argv[1]) }, settings: { timeout: 9e3 }, log: { hide() {} } });
      wire.request({ method: 'GET', headers: {} }, {
        onresponse: (reply) => reply.on('end', () => console.log('answered')),
        onerror: (error) => { throw error },
      });`;
    const run = promisify(execFile)(process.execPath, ['--input-type=module', '--eval', program, url]);
    const { far } = await arrivals.take();
    await far.answer('first');
    expect((await run).stdout).to.equal('answered\n');
  });
});
