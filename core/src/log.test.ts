import { createRequire } from 'node:module';
import { expect } from 'chai';
import { createLog, LOG_LEVELS, type LogLevel, type LogRecord } from './log.js';

function recorder(
  level: LogLevel,
  debug?: string,
): { log: ReturnType<typeof createLog>; records: LogRecord[] } {
  const records: LogRecord[] = [];
  return { log: createLog({ level, debug, write: (record) => void records.push(record) }), records };
}

describe('createLog', () => {
  for (const level of LOG_LEVELS) {
    it(`has no lines below ${level}`, () => {
      const { log } = recorder(level);
      const on = LOG_LEVELS.filter((name) => log[name] !== undefined);
      expect(on).to.deep.equal(LOG_LEVELS.slice(LOG_LEVELS.indexOf(level)));
      expect(log.child('x').trace === undefined).to.equal(level !== 'trace');
    });
  }

  it('names the namespace, formats its values and passes the level on', () => {
    const { log, records } = recorder('info');
    log.child('http').child('sse').info?.('%s took %d ms', 'it', 3);
    expect(records).to.deep.equal([
      { namespace: 'mcp-connect:http:sse', level: 'info', text: 'it took 3 ms' },
    ]);
  });

  it('hides what was named anywhere, also in errors and objects, in every namespace', () => {
    const { log, records } = recorder('debug');
    const child = log.child('a');
    log.child('b').hide('t0ken-value', undefined, 'abc');
    child.warn?.('%s %o', new Error('bad t0ken-value'), { header: 't0ken-value' });
    expect(records[0]!.text).not.to.include('t0ken-value');
    expect(child.redact('t0ken-value and abc')).to.equal('[hidden] and abc');
  });

  it('hides what was named also in the forms that it takes in addresses, headers and messages', () => {
    const { log, records } = recorder('info');
    const secret = 'a/b+c=d "é"';
    log.hide(secret);
    const forms = [
      encodeURIComponent(secret),
      encodeURIComponent(secret).replaceAll(/%../g, (code) => code.toLowerCase()),
      Buffer.from(secret).toString('base64'),
      Buffer.from(secret).toString('base64url'),
      JSON.stringify(secret).slice(1, -1),
    ];
    for (const form of forms) log.info!('x %s x', form);
    for (const { text } of records) expect(text).to.match(/^x \[hidden\]=* x$/);
    expect(records).to.have.length(forms.length);
  });

  it('hides a value whole when another hidden one is a part of it', () => {
    const { log } = recorder('info');
    log.hide('user', 'user-password', 'word');
    expect(log.redact('user-password')).to.equal('[hidden]');
  });

  it('logs everything in the namespaces that DEBUG names, and nothing more elsewhere', () => {
    const debug = createRequire(import.meta.url)('debug') as typeof import('debug');
    const before = debug.disable();
    try {
      const { log } = recorder('warn', 'mcp-connect:line,mcp-connect:http:*');
      expect(log.child('line').trace).to.be.a('function');
      expect(log.child('http').child('sse').trace).to.be.a('function');
      expect(log.child('tcp').info).to.equal(undefined);
      expect(log.child('tcp').warn).to.be.a('function');
    } finally {
      debug.enable(before);
    }
  });
});
