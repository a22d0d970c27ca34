import { ConnectorError } from '@mcp-connect/core';
import { expect } from 'chai';
import { RestartLadder } from './ladder.js';

const FALL = new ConnectorError('MCPC_CONNECTION_LOST', 'exited with code 3', { delivered: 'unknown' });
const never = new AbortController().signal;

describe('RestartLadder', () => {
  it('lets the first start go at once', async () => {
    await new RestartLadder({ first: 1e6, longest: 1e6, most: 1, stable: 1e6 }).climb(never);
  });

  it('gives a program up that keeps ending, and says how it ended', async () => {
    const ladder = new RestartLadder({ first: 1, longest: 2, most: 2, stable: 1e6 });
    for (let start = 0; start < 3; start++) {
      await ladder.climb(never);
      ladder.fell(FALL);
    }
    const error = await ladder.climb(never).catch((reason: unknown) => reason);
    expect(error).to.be.instanceOf(ConnectorError).and.include({ code: 'MCPC_NO_ENDPOINT', cause: FALL });
  });

  it('begins anew after a program that was stable', async () => {
    const ladder = new RestartLadder({ first: 1, longest: 1, most: 1, stable: 0 });
    for (let start = 0; start < 5; start++) {
      await ladder.climb(never);
      ladder.fell(FALL);
    }
  });

  it('stops waiting when nobody wants the program any more', async () => {
    const ladder = new RestartLadder({ first: 1e6, longest: 1e6, most: 5, stable: 1e6 });
    ladder.fell(FALL);
    const abort = new AbortController();
    const climbing = ladder.climb(abort.signal).catch((reason: unknown) => reason);
    abort.abort();
    expect(await climbing).to.have.property('name', 'AbortError');
  });
});
