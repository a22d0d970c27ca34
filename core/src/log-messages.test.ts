import type { JSONRPCMessage } from '@modelcontextprotocol/sdk/types.js';
import { expect } from 'chai';
import { Envelope } from './envelope.js';
import { LogMessages, type LogAudience } from './log-messages.js';
import type { LogLevel } from './log.js';

const message = (parts: object): Envelope => Envelope.of({ jsonrpc: '2.0', ...parts } as JSONRPCMessage);
const initialized = message({ method: 'notifications/initialized' });
const setLevel = (level: string): Envelope =>
  message({ id: 1, method: 'logging/setLevel', params: { level } });
const modern = (level?: string): Envelope =>
  message({
    id: 2,
    method: 'tools/call',
    params: { name: 'x', _meta: { 'io.modelcontextprotocol/logLevel': level } },
  });

const NOBODY: LogAudience = { session: undefined, requests: [] };
const LEGACY: LogAudience = { session: { logs: true, initialized, level: undefined }, requests: [] };

interface Shown {
  readonly level: string;
  readonly logger: string;
  readonly data: string;
}

class Listener {
  readonly shown: Shown[] = [];
  readonly messages: LogMessages;
  audience: LogAudience;
  lag: Promise<void> | undefined;
  now = 0;

  constructor(audience: LogAudience, level: LogLevel = 'trace') {
    this.audience = audience;
    this.messages = new LogMessages({ level, now: () => this.now });
    this.messages.attach({
      deliver: ({ method, message: sent }) => {
        expect(method).to.equal('notifications/message');
        this.shown.push((sent as unknown as { params: Shown }).params);
        return this.lag;
      },
      audience: () => this.audience,
    });
  }

  log(level: LogLevel, text: string): void {
    this.messages.write({ namespace: 'mcp-connect:line', level, text });
  }

  get data(): string[] {
    return this.shown.map(({ data }) => data);
  }
}

describe('log lines for the client', () => {
  it('are log messages of mcp-connect, at levels that MCP has, without colours', () => {
    const listener = new Listener(LEGACY);
    for (const level of ['trace', 'debug', 'info', 'warn', 'error'] as const)
      listener.log(level, `\u001b[31m${level}`);
    expect(listener.shown).to.deep.equal([
      { level: 'debug', logger: 'mcp-connect', data: 'trace' },
      { level: 'debug', logger: 'mcp-connect', data: 'debug' },
      { level: 'info', logger: 'mcp-connect', data: 'info' },
      { level: 'warning', logger: 'mcp-connect', data: 'warn' },
      { level: 'error', logger: 'mcp-connect', data: 'error' },
    ]);
  });

  it('wait until the legacy session has begun, and come in order then', () => {
    const listener = new Listener(NOBODY);
    listener.log('info', 'one');
    listener.audience = { session: { logs: true, initialized: undefined, level: undefined }, requests: [] };
    listener.log('info', 'two');
    expect(listener.data).to.deep.equal([]);
    listener.audience = LEGACY;
    listener.messages.flush();
    listener.log('info', 'three');
    expect(listener.data).to.deep.equal(['one', 'two', 'three']);
  });

  it('keep to the level that the client set', () => {
    const listener = new Listener({
      session: { logs: true, initialized, level: setLevel('warning') },
      requests: [],
    });
    for (const level of ['debug', 'info', 'warn', 'error'] as const) listener.log(level, level);
    expect(listener.data).to.deep.equal(['warn', 'error']);
  });

  it('are not for clients whose server says nothing of logging', () => {
    const listener = new Listener({ session: { logs: false, initialized, level: undefined }, requests: [] });
    listener.log('error', 'unheard');
    listener.messages.flush();
    expect(listener.data).to.deep.equal([]);
  });

  it('come in the modern era while a request waits that asks for them, at its level', () => {
    const listener = new Listener({ session: undefined, requests: [modern()] });
    listener.log('error', 'nobody asks');
    listener.audience = { session: undefined, requests: [modern('error'), modern('info')] };
    for (const level of ['debug', 'info', 'error'] as const) listener.log(level, level);
    listener.audience = NOBODY;
    listener.log('error', 'nobody asks any more');
    expect(listener.data).to.deep.equal(['info', 'error']);
  });

  it('are only the severe ones where that is what is shown', () => {
    const listener = new Listener(LEGACY, 'warn');
    for (const level of ['debug', 'info', 'warn', 'error'] as const) listener.log(level, level);
    expect(listener.data).to.deep.equal(['warn', 'error']);
  });

  it('are few enough to leave room for messages, and say so', () => {
    const listener = new Listener(LEGACY);
    for (let line = 0; line < 10_000; line++) listener.log('debug', `${line}`);
    expect(listener.shown).to.have.length(100);
    listener.now += 1_000;
    for (let line = 0; line < 10_000; line++) listener.log('debug', `${line}`);
    expect(listener.shown).to.have.length(120);
    expect(listener.data[100]).to.equal('9900 log lines were left out here.');
  });

  it('are left out while the client lags behind, which it is told afterwards', async () => {
    const listener = new Listener(LEGACY);
    let catchUp = (): void => undefined;
    listener.lag = new Promise((resolve) => (catchUp = resolve));
    listener.log('info', 'fills the pipe');
    listener.log('info', 'left out');
    listener.log('info', 'left out');
    catchUp();
    await listener.lag;
    await Promise.resolve();
    listener.lag = undefined;
    listener.log('info', 'and on');
    expect(listener.data).to.deep.equal(['fills the pipe', '2 log lines were left out here.', 'and on']);
  });

  it('keep only the last ones for a client that is not there', () => {
    const listener = new Listener(NOBODY);
    for (let line = 0; line < 1_000; line++) listener.log('info', `${line}`);
    listener.audience = LEGACY;
    listener.messages.flush();
    expect(listener.data.at(-1)).to.equal('999');
    expect(listener.shown).to.have.length(100);
  });
});
