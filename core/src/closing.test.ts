import { mock } from 'node:test';
import { expect } from 'chai';
import { deferred, echo, failure, lineTo, Scripted, type Line, type Script } from './scripted.test.js';

const silent: Script = () => undefined;
const PING = { id: 1, method: 'ping' };
const INITIALIZE = { id: 'init', method: 'initialize' };

describe('closing the line', () => {
  beforeEach(() => mock.timers.enable({ apis: ['setTimeout'] }));
  afterEach(() => mock.timers.reset());

  /** Lets the two seconds of grace pass. */
  async function close({ pipeline }: Line): Promise<void> {
    const closed = pipeline.close();
    for (let i = 0; i < 3; i++) {
      await new Promise(setImmediate);
      mock.timers.tick(2_000);
    }
    await closed;
  }

  it('lets requests in flight finish', async () => {
    const server = new Scripted(silent);
    const line = lineTo(server);
    void line.tell(PING);
    await new Promise(setImmediate);
    const closed = line.pipeline.close();
    void server.channel.say({ id: 1, result: {} });
    await closed;
    expect(line.client.answers(1)).to.deep.equal([{ jsonrpc: '2.0', id: 1, result: {} }]);
    expect(server.channel.closed).to.equal(1);
  });

  it('answers and cancels what is in flight after two seconds', async () => {
    const server = new Scripted(silent);
    const line = lineTo(server);
    for (const id of [0, '']) void line.tell({ ...PING, id });
    await new Promise(setImmediate);
    await close(line);
    for (const id of [0, '']) {
      expect(line.client.answers(id)).to.have.length(1);
      expect(line.client.answers(id)[0]!.error!.data).to.include({ code: 'MCPC_SHUTDOWN' });
    }
    expect(server.sent.slice(2).map(({ params }) => params!['requestId'])).to.deep.equal([0, '']);
    expect(server.channel.closed).to.equal(1);
  });

  it('while connecting aborts the connection and answers', async () => {
    const server = new Scripted();
    let aborted = false;
    server.onopen = ({ signal }) =>
      new Promise((_resolve, reject) => {
        signal.addEventListener('abort', () => {
          aborted = true;
          reject(failure('MCPC_CONNECT'));
        });
      });
    const line = lineTo(server, { settings: { timeout: 60_000 } });
    void line.tell(PING);
    await close(line);
    expect(aborted).to.equal(true);
    expect(line.client.answers(1)).to.have.length(1);
    expect(line.client.answers(1)[0]!.error!.data).to.include({ code: 'MCPC_SHUTDOWN', executed: 'no' });
    expect(server.channels).to.deep.equal([]);
  });

  it('closes a channel that was opened too late', async () => {
    const server = new Scripted();
    const opening = deferred();
    server.onopen = () => opening.promise;
    const line = lineTo(server, { settings: { timeout: 60_000 } });
    void line.tell(PING);
    const closed = close(line);
    await new Promise(setImmediate);
    await new Promise(setImmediate);
    opening.resolve();
    await closed;
    expect(server.channel.closed).to.be.at.least(1);
    expect(line.client.answers(1)).to.have.length(1);
  });

  it('while initialize is pending answers it and all that waits behind it, and cancels none of it', async () => {
    const server = new Scripted(silent);
    const line = lineTo(server, { settings: { timeout: 60_000 } });
    void line.tell(INITIALIZE);
    void line.tell(PING);
    await new Promise(setImmediate);
    await close(line);
    for (const id of ['init', 1]) {
      expect(line.client.answers(id)).to.have.length(1);
      expect(line.client.answers(id)[0]!.error!.data).to.include({ code: 'MCPC_SHUTDOWN' });
    }
    expect(server.sent.map(({ method }) => method)).to.deep.equal(['initialize']);
  });

  it('while a request waits for its next attempt answers it', async () => {
    const server = new Scripted(() => Promise.reject(failure('MCPC_NO_ANSWER', 'unknown')));
    const line = lineTo(server, { settings: { retryDelay: 60_000, timeout: 60_000 } });
    void line.tell(PING);
    await new Promise(setImmediate);
    await close(line);
    expect(line.client.answers(1)).to.have.length(1);
    expect(server.sent).to.have.length(1);
  });

  it('while a tap never returns answers the request', async () => {
    const line = lineTo(new Scripted(), {
      tap: ({ hooks }) => hooks.beforeSend.tap('stuck', () => new Promise<void>(() => undefined)),
    });
    void line.tell(PING);
    await close(line);
    expect(line.client.answers(1)).to.have.length(1);
  });

  it('twice is the same end, and a request that comes later is answered too', async () => {
    const server = new Scripted(echo);
    const line = lineTo(server);
    void line.tell(PING);
    await line.client.answer(1);
    expect(line.pipeline.close()).to.equal(line.pipeline.close());
    await line.pipeline.close();
    void line.tell({ ...PING, id: 2 });
    expect((await line.client.answer(2)).error!.data).to.include({ code: 'MCPC_SHUTDOWN' });
    expect(server.sent).to.have.length(1);
  });

  it('delivers nothing that a channel says behind its end', async () => {
    const server = new Scripted(silent);
    const line = lineTo(server);
    void line.tell(PING);
    await new Promise(setImmediate);
    await close(line);
    const delivered = line.client.messages.length;
    void server.channel.say({ id: 1, result: {} });
    server.channel.context.onlost(1, failure('MCPC_NO_ANSWER', 'unknown'));
    server.channel.context.onclose();
    expect(line.client.messages).to.have.length(delivered);
  });
});
