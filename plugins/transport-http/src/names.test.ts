import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { Connector, createLog, Envelope, type JSONRPCMessage, type Pipeline } from '@mcp-connect/core';
import { scriptedHttp, type ScriptedServer } from '@mcp-connect/testing';
import { expect } from 'chai';
import http from './index.js';

const A = 1;
const SRV = 33;
const NO_SUCH_NAME = 3;

/** A name server that knows what the test tells it. */
class NameServer {
  readonly addresses = new Map<string, readonly string[]>();
  readonly services = new Map<string, readonly { readonly port: number; readonly target: string }[]>();
  #onquery: () => void = () => undefined;
  readonly #socket: Socket = createSocket('udp4');

  async start(): Promise<string> {
    this.#socket.on('message', (query, { port, address }) => {
      this.#socket.send(this.#answer(query), port, address);
      this.#onquery();
    });
    this.#socket.bind(0, '127.0.0.1');
    await once(this.#socket, 'listening');
    return `127.0.0.1:${this.#socket.address().port}`;
  }

  /** Settles when so many more questions have come. */
  async asked(count: number): Promise<void> {
    while (count-- > 0) await new Promise<void>((resolve) => (this.#onquery = resolve));
  }

  close(): void {
    this.#socket.close();
  }

  /** Answers one question (RFC 1035 section 4). */
  #answer(query: Buffer): Buffer {
    const end = query.indexOf(0, 12) + 5;
    const name = nameAt(query, 12);
    const type = query.readUInt16BE(end - 4);
    const records = type === A ? this.#addressRecords(name) : type === SRV ? this.#serviceRecords(name) : [];
    const known = this.addresses.has(name) || this.services.has(name);
    const head = Buffer.alloc(12);
    head.writeUInt16BE(query.readUInt16BE(0), 0);
    head.writeUInt16BE(0x8180 | (known ? 0 : NO_SUCH_NAME), 2);
    head.writeUInt16BE(1, 4);
    head.writeUInt16BE(records.length, 6);
    return Buffer.concat([head, query.subarray(12, end), ...records.map((data) => record(type, data))]);
  }

  #addressRecords(name: string): Buffer[] {
    return (this.addresses.get(name) ?? []).map((ip) => Buffer.from(ip.split('.').map(Number)));
  }

  #serviceRecords(name: string): Buffer[] {
    return (this.services.get(name) ?? []).map(({ port, target }) => {
      const numbers = Buffer.alloc(6);
      numbers.writeUInt16BE(port, 4);
      return Buffer.concat([numbers, encoded(target)]);
    });
  }
}

function record(type: number, data: Buffer): Buffer {
  const head = Buffer.alloc(12);
  // The name is that of the question; the record holds for no time at all.
  head.writeUInt16BE(0xc00c, 0);
  head.writeUInt16BE(type, 2);
  head.writeUInt16BE(1, 4);
  head.writeUInt16BE(data.length, 10);
  return Buffer.concat([head, data]);
}

function nameAt(query: Buffer, start: number): string {
  const labels: string[] = [];
  for (let at = start; query[at] !== 0; at += query[at]! + 1)
    labels.push(query.toString('latin1', at + 1, at + 1 + query[at]!));
  return labels.join('.').toLowerCase();
}

function encoded(name: string): Buffer {
  const labels = name.split('.').map((label) => Buffer.from(`${String.fromCharCode(label.length)}${label}`));
  return Buffer.concat([...labels, Buffer.from([0])]);
}

describe('names that stand for several servers', () => {
  let names: NameServer;
  let server: ScriptedServer;
  let pipeline: Pipeline | undefined;
  let address: string;
  let port: string;

  beforeEach(async () => {
    names = new NameServer();
    address = await names.start();
    server = await scriptedHttp(() => undefined);
    port = server.endpoint.url!.port;
  });
  afterEach(async () => {
    await pipeline?.close();
    pipeline = undefined;
    names.close();
    await server.close();
  });

  const connect = (endpoint: string): { answered: Promise<JSONRPCMessage> } => {
    const connector = new Connector({ log: createLog({ level: 'error', write: () => undefined }) });
    connector.use(http, { 'dns-server': address });
    connector.endpoint(endpoint);
    let deliver: (message: JSONRPCMessage) => void;
    const answered = new Promise<JSONRPCMessage>((resolve) => (deliver = resolve));
    pipeline = connector.connect({ deliver: ({ message }) => deliver(message) });
    return { answered };
  };
  const labels = (): string[] => pipeline!.status().map(({ endpoint }) => endpoint);
  const until = async (holds: () => boolean): Promise<void> => {
    while (!holds()) await new Promise((resolve) => setTimeout(resolve, 10));
  };

  it('are followed from address to address', async () => {
    names.addresses.set('mcp.test', ['127.0.0.1', '127.0.0.2']);
    connect(`dns+http://mcp.test:${port}/mcp`);
    const at = (ip: string): string => `http://mcp.test:${port}/mcp at ${ip}`;
    await until(() => labels().length === 2);
    expect(labels()).to.deep.equal([at('127.0.0.1'), at('127.0.0.2')]);
    names.addresses.set('mcp.test', ['127.0.0.2', '127.0.0.3']);
    await until(() => labels().includes(at('127.0.0.3')));
    expect(labels()).to.deep.equal([at('127.0.0.2'), at('127.0.0.3')]);
  });

  it('keep their servers while the name server knows nothing', async () => {
    names.addresses.set('mcp.test', ['127.0.0.1', '127.0.0.2']);
    connect(`dns+http://mcp.test:${port}/mcp`);
    await until(() => labels().length === 2);
    names.addresses.delete('mcp.test');
    await names.asked(4);
    expect(labels()).to.have.length(2);
  });

  it('are reached at the address that was found, under their own name', async () => {
    names.addresses.set('mcp.test', ['127.0.0.1']);
    const { answered } = connect(`dns+http://mcp.test:${port}/mcp`);
    await until(() => labels()[0]!.endsWith('127.0.0.1'));
    void pipeline!.accept(Envelope.of({ jsonrpc: '2.0', id: 1, method: 'ping' }));
    expect(await answered).to.have.property('result');
  });

  it('give hosts and ports for a service', async () => {
    names.services.set('_mcp._tcp.test', [
      { port: Number(port), target: 'one.test' },
      { port: 9, target: 'two.test' },
    ]);
    names.addresses.set('one.test', ['127.0.0.1']).set('two.test', ['127.0.0.2']);
    connect('srv+http://_mcp._tcp.test/mcp');
    await until(() => labels().length === 2);
    expect(labels()).to.deep.equal([
      `http://one.test:${port}/mcp at 127.0.0.1`,
      'http://two.test:9/mcp at 127.0.0.2',
    ]);
  });

  it('refuse a service with a port', () => {
    expect(() => connect('srv+http://mcp.test:8080/mcp')).to.throw('names no service');
  });
});
