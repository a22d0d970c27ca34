import { Connector, createLog, Envelope, type FlagValues } from '@mcp-connect/core';
import { memoryTransport, testPlugin, type PeerMessage, type Served } from '@mcp-connect/testing';
import { expect } from 'chai';
import filter from './index.js';

type Options = Partial<FlagValues<NonNullable<typeof filter.flags>>>;

const RULES: Options = {
  'tools-allow': ['read_*', 'search', 'write_?'],
  'tools-deny': ['*_secret'],
  'tools-rename': ['search=find'],
};

describe('mcp-filter-tools leaves alone what is none of its business', () => {
  testPlugin(it, { plugin: filter, options: () => RULES });
});

describe('mcp-filter-tools', () => {
  const log = createLog({ level: 'error', write: () => undefined });
  let served: Served;
  /** What the server says of how long, and for whom, its list may be kept. */
  let hints: object;
  let called: string[];
  let ask: (method: string, params?: Record<string, unknown>) => Promise<PeerMessage>;
  let close: () => Promise<void>;

  /** Joins a client to a server with these tools. */
  async function join(options: Options, names: readonly string[]): Promise<void> {
    const { kind, serve } = memoryTransport();
    called = [];
    hints = {};
    served = await serve((text, say) => {
      const { id, method, params } = JSON.parse(text) as PeerMessage;
      if (method === 'tools/call') called.push(params!['name'] as string);
      const tools = names.map((name) => ({ name, description: `does ${name}` }));
      void say(JSON.stringify({ jsonrpc: '2.0', id, result: { tools, nextCursor: 'more', ...hints } }));
    });
    const connector = new Connector({ log });
    connector.use(filter, options).endpoint(served.endpoint);
    connector.transport('memory', kind);
    const waiting = new Map<unknown, (answer: PeerMessage) => void>();
    const pipeline = connector.connect({
      deliver: ({ id, message }) => waiting.get(id)?.(message as PeerMessage),
    });
    close = () => pipeline.close();
    let asked = 0;
    ask = (method, params = {}) =>
      new Promise((resolve) => {
        const id = asked++;
        waiting.set(id, resolve);
        void pipeline.accept(Envelope.of({ jsonrpc: '2.0', id, method, params }));
      });
  }

  afterEach(async () => {
    await close();
    await served.close();
  });

  const listed = async (): Promise<unknown[]> =>
    ((await ask('tools/list')).result!['tools'] as { name: unknown }[]).map(({ name }) => name);

  it('shows what is allowed and not denied, under its new name, and leaves the rest of the list', async () => {
    await join(RULES, ['read_file', 'read_secret', 'search', 'write_1', 'write_12', 'delete', 'find']);
    expect(await listed()).to.deep.equal(['read_file', 'find', 'write_1']);
    const { result } = await ask('tools/list');
    expect(result).to.have.property('nextCursor', 'more');
    expect(result!['tools']).to.deep.include({ name: 'find', description: 'does search' });
  });

  it('keeps for this client what others may keep of the list as it was', async () => {
    await join(RULES, ['read_file']);
    expect((await ask('tools/list')).result).not.to.have.property('cacheScope');
    hints = { ttlMs: 60_000, cacheScope: 'public' };
    expect((await ask('tools/list')).result).to.include({ ttlMs: 60_000, cacheScope: 'private' });
  });

  it('calls a tool by the name that the server gives it', async () => {
    await join(RULES, []);
    await ask('tools/call', { name: 'find', arguments: { q: 1 } });
    await ask('tools/call', { name: 'read_file' });
    expect(called).to.deep.equal(['search', 'read_file']);
  });

  for (const name of ['delete', 'read_secret', 'search', 'write_12', '']) {
    it(`refuses to call ${JSON.stringify(name)}, which the client does not see`, async () => {
      await join(RULES, []);
      expect((await ask('tools/call', { name })).error?.code).to.equal(-32602);
      expect(called).to.deep.equal([]);
    });
  }

  it('lets two tools change their names', async () => {
    await join({ 'tools-rename': ['a=b', 'b=a'] }, ['a', 'b', 'c']);
    expect(await listed()).to.deep.equal(['b', 'a', 'c']);
    await ask('tools/call', { name: 'b' });
    expect(called).to.deep.equal(['a']);
  });

  it('takes every other character as it is', async () => {
    await join({ 'tools-allow': ['a.b', '(x)[1]'] }, ['a.b', 'aXb', '(x)[1]']);
    expect(await listed()).to.deep.equal(['a.b', '(x)[1]']);
  });
});

describe('mcp-filter-tools at start', () => {
  for (const rename of [['search'], ['=find'], ['a=b=c'], ['a=x', 'b=x'], ['a=x', 'a=y']]) {
    it(`refuses --tools-rename ${rename.join(' and ')}`, () => {
      const log = createLog({ level: 'error', write: () => undefined });
      expect(() => new Connector({ log }).use(filter, { 'tools-rename': rename }).start())
        .to.throw('--tools-rename')
        .with.property('code', 'MCPC_USAGE');
    });
  }
});
