import { Client, type ClientOptions } from '@modelcontextprotocol/client';
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio';
import { expect } from 'chai';
import { Inbox } from './inbox.js';
import { mcpConnect } from './proxy-process.js';
import { fixture, localProgram, serveFeaturesOverHttp, serveModernOverHttp, type Peer } from './servers.js';

const MODERN = '2026-07-28';

type Mode = NonNullable<ClientOptions['versionNegotiation']>['mode'] & {};

/** Connects an SDK v2 client that opens as `mode` says. */
async function connect(peer: Peer, mode: Mode, args: readonly string[] = []): Promise<Client> {
  const options = { versionNegotiation: { mode }, capabilities: { elicitation: {} } };
  const client = new Client({ name: 'era-client', version: '1.0.0' }, options);
  client.setRequestHandler('elicitation/create', () => ({ action: 'accept', content: { name: 'Ada' } }));
  await client.connect(new StdioClientTransport(mcpConnect(['proxy', ...args, ...peer.args])));
  return client;
}

async function say(client: Client, name: string, args: Record<string, unknown> = {}): Promise<string> {
  const { content } = await client.callTool({ name, arguments: args });
  const [first] = content;
  return first?.type === 'text' ? first.text : '';
}

describe('SDK v2 clients', () => {
  const LEGACY_SERVERS = {
    'over Streamable HTTP': serveFeaturesOverHttp,
    'over stdio': async () => localProgram(...fixture('feature-stdio')),
  };
  for (const [route, start] of Object.entries(LEGACY_SERVERS)) {
    const CLIENTS: readonly [what: string, mode: Mode, revision: string, ...args: string[]][] = [
      ['in their own revision', 'legacy', '2025-11-25'],
      ['over the bridge', 'auto', MODERN],
      ['over the bridge where they know no other revision', { pin: MODERN }, MODERN],
      ['in an older revision when the bridge is off', 'auto', '2025-11-25', '--era', 'refuse'],
    ];
    for (const [what, mode, revision, ...args] of CLIENTS) {
      it(`find their way to a server of an older revision ${route} ${what}`, async () => {
        const peer = await start();
        const client = await connect(peer, mode, args);
        expect(client.getNegotiatedProtocolVersion()).to.equal(revision);
        expect(await say(client, 'echo', { text: 'grüße' })).to.equal('grüße');
        expect(await say(client, 'ask-user')).to.contain('Ada');
        await client.close();
        await peer.close();
      });
    }
  }

  const MODERN_SERVERS = {
    'over HTTP': serveModernOverHttp,
    'over stdio': async () => localProgram(...fixture('modern-stdio', '--modern-only')),
  };
  for (const [route, start] of Object.entries(MODERN_SERVERS)) {
    describe(`and a server of ${MODERN} ${route}`, () => {
      let peer: Peer;
      let client: Client;

      before(async () => {
        peer = await start();
        client = await connect(peer, { pin: MODERN });
      });

      after(async () => {
        await client?.close();
        await peer?.close();
      });

      it('agree on that revision when the client looks for it', async () => {
        const seeker = await connect(peer, 'auto');
        expect(seeker.getNegotiatedProtocolVersion()).to.equal(MODERN);
        expect(await say(seeker, 'echo', { text: 'found' })).to.equal('found');
        await seeker.close();
      });

      it('list and call tools, read resources, get prompts', async () => {
        expect(client.getNegotiatedProtocolVersion()).to.equal(MODERN);
        const { tools } = await client.listTools();
        expect(tools.map(({ name }) => name)).to.include.members(['echo', 'wait', 'ask-user']);
        expect(await say(client, 'echo', { text: 'grüße' })).to.equal('grüße');
        const { contents } = await client.readResource({ uri: 'memo://today' });
        expect(contents[0]).to.deep.include({ text: 'buy milk' });
        const { messages } = await client.getPrompt({ name: 'größe', arguments: { city: 'Bern' } });
        expect(messages[0]?.content).to.deep.equal({ type: 'text', text: 'Take me to Bern' });
      });

      it("answer a question in the middle of a call, in the revision's own way", async () => {
        expect(await say(client, 'ask-user')).to.equal('hello Ada');
      });

      it('report progress and cancel', async () => {
        const cancel = new AbortController();
        const begun = new Promise<void>((resolve) => {
          const options = { signal: cancel.signal, onprogress: () => resolve() };
          client.callTool({ name: 'wait' }, options).catch(() => undefined);
        });
        await begun;
        cancel.abort();
        expect(await say(client, 'echo', { text: 'still here' })).to.equal('still here');
      });

      it('run 200 calls at once', async () => {
        const texts = Array.from({ length: 200 }, (_, index) => `call ${index}`);
        expect(await Promise.all(texts.map((text) => say(client, 'echo', { text })))).to.deep.equal(texts);
      });
    });
  }

  it(`${MODERN} over HTTP mirrors each request in its headers and keeps no session`, async () => {
    const peer = await serveModernOverHttp();
    const client = await connect(peer, { pin: MODERN });
    await client.getPrompt({ name: 'größe', arguments: { city: 'Bern' } });
    await client.readResource({ uri: 'memo://today' });
    await client.close();
    const headers = peer.requests.map(({ verb, headers: all }) => [
      verb,
      all['mcp-protocol-version'],
      all['mcp-method'],
      all['mcp-name'],
      all['mcp-session-id'],
    ]);
    expect(headers).to.deep.include.members([
      ['POST', MODERN, 'server/discover', undefined, undefined],
      ['POST', MODERN, 'prompts/get', `=?base64?${Buffer.from('größe').toString('base64')}?=`, undefined],
      ['POST', MODERN, 'resources/read', 'memo://today', undefined],
    ]);
    expect(peer.requests.every(({ verb }) => verb === 'POST')).to.equal(true);
    await peer.close();
  });

  it(`${MODERN} over HTTP cancels by closing the reply, so the server stops its work`, async () => {
    const peer = await serveModernOverHttp();
    const client = await connect(peer, { pin: MODERN });
    const cancel = new AbortController();
    await new Promise<void>((resolve) => {
      const options = { signal: cancel.signal, onprogress: () => resolve() };
      client.callTool({ name: 'wait' }, options).catch(() => undefined);
    });
    cancel.abort();
    await peer.cancelled.next();
    expect(peer.requests.map(({ headers }) => headers['mcp-method'])).to.not.include(
      'notifications/cancelled',
    );
    await client.close();
    await peer.close();
  });

  it(`${MODERN} over HTTP listens for news until the client has heard enough`, async () => {
    const peer = await serveModernOverHttp();
    const client = await connect(peer, { pin: MODERN });
    const heard = new Inbox<void>();
    client.setNotificationHandler('notifications/tools/list_changed', () => heard.put());
    const subscription = await client.listen({ toolsListChanged: true });
    peer.announceTools();
    await heard.next();
    await subscription.close();
    expect(await say(client, 'echo', { text: 'still here' })).to.equal('still here');
    await client.close();
    await peer.close();
  });
});
