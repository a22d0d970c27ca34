import { expect } from 'chai';
import { ConnectorError } from '@mcp-connect/core';
import type { Values } from '../flags/flags.js';
import { MODES, type Mode } from './modes.js';

const labels = (mode: Mode, values: Values, words: string[] = []): string[] =>
  mode.endpoints(values, words).map(({ label }) => label);

function refuses(mode: Mode, values: Values, words: string[], named: string): void {
  expect(() => mode.endpoints(values, words))
    .to.throw(ConnectorError, named)
    .with.property('code', 'MCPC_USAGE');
}

describe('the endpoint of proxy', () => {
  const { proxy } = MODES;

  it('is the one that --endpoint names, read with --transport', () => {
    expect(labels(proxy, { endpoint: 'https://x.example/mcp' })).to.deep.equal(['https://x.example/mcp']);
    expect(labels(proxy, { endpoint: 'localhost:9', transport: 'tcp' })).to.deep.equal(['tcp:localhost:9']);
  });

  it('is the command after --, word by word', () => {
    expect(proxy.endpoints({}, ['node', 'a b.js', '--x'])[0]?.argv).to.deep.equal(['node', 'a b.js', '--x']);
  });

  it('is given once', () => {
    refuses(proxy, {}, [], '--endpoint');
    refuses(proxy, { endpoint: 'https://x.example' }, ['node'], '--endpoint');
    refuses(proxy, { transport: 'http' }, ['node'], '--transport');
  });

  it('names its flag when it is malformed', () => {
    refuses(proxy, { endpoint: 'tcp://x.example:99999' }, [], '--endpoint');
  });
});

describe('the endpoints of load-balance', () => {
  const balance = MODES['load-balance'];

  it('are split at commas', () => {
    const endpoints = 'http://a/mcp, http://b/mcp ,';
    expect(labels(balance, { endpoints, transport: 'http' })).to.deep.equal(['http://a/mcp', 'http://b/mcp']);
  });

  it('may say themselves how they are reached, against the default of --transport', () => {
    const endpoints = 'tcp://a:1,stdio:node b.js';
    expect(labels(balance, { endpoints, transport: 'http' })).to.deep.equal(['tcp://a:1', 'stdio:node']);
    refuses(balance, { endpoints, transport: 'sse' }, [], '--endpoints');
  });

  it('are read with --transport', () => {
    expect(labels(balance, { endpoints: 'a:1,b:2', transport: 'tcp' })).to.deep.equal(['tcp:a:1', 'tcp:b:2']);
  });

  it('must be given', () => {
    refuses(balance, { transport: 'http' }, [], '--endpoints');
    refuses(balance, { endpoints: ' , ', transport: 'http' }, [], '--endpoints');
    refuses(balance, { transport: 'http' }, ['node'], '--');
  });
});
