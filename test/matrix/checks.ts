import { expect } from 'chai';
import type { MatrixClient } from './clients.js';
import type { Pair, Revision } from './pair.js';

/** One thing that client and server do together. */
export interface Check {
  readonly name: string;
  /** Why two of these cannot do it, whatever stands between them; undefined where they can. */
  cannot(pair: Pair): string | undefined;
  /** @throws when it does not work */
  run(client: MatrixClient): Promise<void>;
}

const MEMO = 'memo://today';
const BIG = { text: '0123456789abcdef', times: 65_536 };

/** What is checked of every pair, in this order. */
export const CHECKS: readonly Check[] = [
  check('list', always, async (client) => {
    expect(await client.tools()).to.include.members(['echo', 'wait', 'ask-user']);
  }),
  check('call', always, async (client) => {
    expect(await client.call('echo', { text: 'grüße 👋\u2028' })).to.equal('grüße 👋\u2028');
  }),
  check('progress', always, async (client) => {
    await client.call('count', { steps: 3 }, { progress: true });
    expect(client.progress).to.deep.equal([1, 2, 3]);
  }),
  check('cancel', always, async (client) => {
    const cancel = new AbortController();
    const call = client.call('wait', {}, { signal: cancel.signal }).catch((error: unknown) => error);
    await reaches(client, '1');
    cancel.abort('changed my mind');
    expect(await call).to.be.an('error');
    await reaches(client, '0');
  }),
  check('elicitation', since('2025-06-18', 'elicitation'), async (client) => {
    expect(await client.call('ask-user')).to.contain('Ada');
  }),
  check('sampling', always, async (client) => {
    expect(await client.call('ask-model')).to.contain('Paris');
  }),
  check('roots', always, async (client) => {
    expect(await client.call('ask-roots')).to.equal('file:///project');
  }),
  check('subscribe', always, async (client) => {
    await client.subscribe(MEMO);
    await client.call('touch');
    const { params } = await client.news.next(({ method }) => method === 'notifications/resources/updated');
    expect(params?.['uri']).to.equal(MEMO);
  }),
  check('list changed', always, async (client) => {
    await client.call('grow');
    await client.news.next(({ method }) => method === 'notifications/tools/list_changed');
  }),
  check('log level', always, async (client) => {
    await client.logFrom('error');
    await client.call('log');
    const { params } = await client.news.next(
      ({ method, params: said }) => method === 'notifications/message' && said?.['logger'] === undefined,
    );
    expect(params).to.deep.include({ level: 'error', data: 'error' });
  }),
  check('big result', always, async (client) => {
    expect(await client.call('repeat', BIG)).to.have.length(BIG.text.length * BIG.times);
  }),
  check('error', always, async (client) => {
    const error = (await client.unknown().catch((reason: unknown) => reason)) as { code: unknown };
    expect(error.code).to.equal(-32_601);
  }),
];

function check(name: string, cannot: Check['cannot'], run: Check['run']): Check {
  return { name, cannot, run };
}

function always(): undefined {
  return undefined;
}

/** What came with a revision is unknown to those before it. */
function since(first: Revision, what: string): Check['cannot'] {
  return ({ client, server }) => {
    const oldest = client < server ? client : server;
    return oldest < first ? `${oldest} has no ${what}` : undefined;
  };
}

/** Asks until so many calls of `wait` are under way. */
async function reaches(client: MatrixClient, count: string): Promise<void> {
  while ((await client.call('waiting')) !== count);
}
