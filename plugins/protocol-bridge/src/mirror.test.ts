import { createLog, Envelope, type JSONRPCMessage } from '@mcp-connect/core';
import { expect } from 'chai';
import { Mirror } from './mirror.js';

const REGION = { type: 'string', 'x-mcp-header': 'Region' };

function tool(name: string, properties: object): object {
  return { name, inputSchema: { type: 'object', properties } };
}

function callOf(name: string, given: unknown, method = 'tools/call'): Envelope {
  const params = { name, arguments: given };
  return Envelope.of({ jsonrpc: '2.0', id: 1, method, params } as JSONRPCMessage);
}

describe('Mirror', () => {
  let mirror: Mirror;
  let logged: string[];

  beforeEach(() => {
    logged = [];
    mirror = new Mirror(createLog({ level: 'warn', write: ({ text }) => logged.push(text) }));
  });

  it('leaves out tools with a bad annotation, and says which', () => {
    const good = tool('good', { region: REGION });
    const bad = tool('bad', { region: { type: 'object', 'x-mcp-header': 'Region' } });
    const result = { tools: [good, bad], nextCursor: 'n' };
    expect(mirror.learn(result, {})).to.deep.equal({ tools: [good], nextCursor: 'n' });
    expect(logged.join()).to.contain('bad');
  });

  it('returns a list without bad tools as it is', () => {
    const result = { tools: [tool('good', { region: REGION }), 'odd', { name: 'bare' }] };
    expect(mirror.learn(result, {})).to.equal(result);
  });

  it('mirrors what is there and can be written exactly', () => {
    const properties = {
      region: REGION,
      count: { type: 'integer', 'x-mcp-header': 'Count' },
      dry: { type: 'boolean', 'x-mcp-header': 'Dry' },
      inner: { type: 'object', properties: { deep: { type: 'string', 'x-mcp-header': 'Deep' } } },
    };
    mirror.learn({ tools: [tool('a', properties)] }, {});
    const headersOf = (given: unknown): object | undefined => mirror.headersOf(callOf('a', given));
    expect(headersOf({ region: '', count: 0, dry: false, inner: { deep: 'ü' } })).to.deep.equal({
      'mcp-param-region': '',
      'mcp-param-count': '0',
      'mcp-param-dry': 'false',
      'mcp-param-deep': 'ü',
    });
    expect(headersOf({ region: null, count: 2 ** 53, inner: 'none' })).to.deep.equal({});
    expect(headersOf(undefined)).to.deep.equal({});
    expect(mirror.headersOf(callOf('b', { region: 'x' }))).to.equal(undefined);
    expect(mirror.headersOf(callOf('a', { region: 'x' }, 'prompts/get'))).to.equal(undefined);
  });

  it('goes by the last list, page by page', async () => {
    mirror.learn({ tools: [tool('old', { region: REGION })] }, {});
    const pages: Readonly<Record<string, object>> = {
      first: { tools: [tool('a', { region: REGION })], nextCursor: '' },
      '': { tools: [tool('b', { region: REGION })] },
    };
    await mirror.refresh(({ cursor = 'first' }) =>
      Promise.resolve({ result: pages[cursor as string] as Record<string, unknown> }),
    );
    const known = ['old', 'a', 'b'].filter((name) => mirror.headersOf(callOf(name, { region: 'x' })));
    expect(known).to.deep.equal(['a', 'b']);
  });
});
