import { expect } from 'chai';
import { ConnectorError, type ConnectorErrorOptions, type ErrorCode } from './errors.js';
import type { Attempt, Candidate } from './contract.js';
import { Retry, type RetryTools } from './retry.js';
import type { Settings } from './transport.js';

const SETTINGS: Settings = {
  timeout: 30_000,
  retryAttempts: 3,
  retryDelay: 1_000,
  ejectionTime: 5_000,
  maxMessageSize: 1e6,
  tls: {},
};
const LEGS = [0, 1, 2, 3, 4].map(
  (index) => ({ index, open: true, pending: 0, state: 'up', endpoint: { address: `${index}` } }) as Candidate,
);

interface Failure extends ConnectorErrorOptions {
  readonly code: ErrorCode;
  /** The endpoint that failed; 0 where not given. */
  readonly leg?: number;
}

function next(
  failures: readonly Failure[],
  { safe = false, legs = 1, left = 30_000 }: { safe?: boolean; legs?: number; left?: number } = {},
): number | undefined {
  const attempts: Attempt[] = failures.map(({ code, leg = 0, ...options }) => ({
    candidate: LEGS[leg]!,
    error: new ConnectorError(code, 'failed', options),
    ms: 1,
  }));
  return new Retry(SETTINGS, 'annotated').next({ attempts, safe, candidates: LEGS.slice(0, legs), left })
    ?.wait;
}

const REFUSED: Failure = { code: 'MCPC_CONNECT' };
const LASTING: Failure = { ...REFUSED, lasting: true };
const LOST: Failure = { code: 'MCPC_CONNECTION_LOST', delivered: 'unknown' };
const NO_ANSWER: Failure = { code: 'MCPC_NO_ANSWER', delivered: 'unknown' };
const UNAUTHORIZED: Failure = { code: 'MCPC_UNAUTHORIZED', delivered: 'rejected' };
const asks = (wwwAuthenticate: string): Failure => ({
  ...UNAUTHORIZED,
  challenge: { status: 401, wwwAuthenticate },
});
const SESSION_LOST: Failure = { code: 'MCPC_SESSION_LOST', delivered: 'rejected' };
const STATUS: Failure = { code: 'MCPC_HTTP_STATUS', delivered: 'rejected' };
const limited = (retryAfter?: number): Failure => ({
  code: 'MCPC_RATE_LIMITED',
  delivered: 'rejected',
  ...(retryAfter !== undefined && { retryAfter }),
});

describe('Retry', () => {
  // The table of the failure contract, section 2.
  const TABLE: readonly [evidence: string, failures: Failure[], unsafe: boolean, safe: boolean][] = [
    ['not sent: the connection was refused', [REFUSED], true, true],
    ['not sent, many times over', Array.from({ length: 40 }, () => REFUSED), true, true],
    [
      'not sent: the connection was lost before a byte was written',
      [{ code: 'MCPC_CONNECTION_LOST' }],
      true,
      true,
    ],
    ['not sent, and nothing that time would heal', [{ code: 'MCPC_PLUGIN' }], false, false],
    ['not sent: a certificate is not trusted', [LASTING], false, false],
    ['not sent: refused, then met with a certificate that is not trusted', [REFUSED, LASTING], false, false],
    ['rejected: 401', [UNAUTHORIZED], true, true],
    ['rejected: 401 twice', [UNAUTHORIZED, UNAUTHORIZED], false, false],
    ['rejected: 401 twice with the same challenge', [asks('Bearer'), asks('Bearer')], false, false],
    ['rejected: 401 for one reason after another', [asks('Bearer'), asks('DPoP')], true, true],
    ['rejected: 401 for reasons that come again', [asks('a'), asks('b'), asks('a')], false, false],
    ['rejected: the session is gone', [SESSION_LOST], true, true],
    ['rejected: the session is gone twice', [SESSION_LOST, SESSION_LOST], false, false],
    ['rejected: 429 with Retry-After', [limited(2_000)], true, true],
    ['rejected: 429 without Retry-After', [limited()], true, true],
    ['rejected: a Retry-After of over 30 s', [limited(30_001)], false, false],
    ['rejected for good', [STATUS], false, false],
    ['unknown: lost after it was written', [LOST], false, true],
    ['unknown: ended without the answer', [NO_ANSWER], false, true],
    ['unknown, as often as --retry-attempts allows', [LOST, LOST, LOST], false, false],
    [
      'unknown, with failed connections between that do not count',
      [LOST, REFUSED, REFUSED, LOST],
      false,
      true,
    ],
  ];
  for (const [evidence, failures, unsafe, safe] of TABLE) {
    it(`${evidence}: ${unsafe ? 'sends again' : safe ? 'sends again only what is safe' : 'gives up'}`, () => {
      expect(next(failures) !== undefined, 'unsafe').to.equal(unsafe);
      expect(next(failures, { safe: true }) !== undefined, 'safe').to.equal(safe);
    });
  }

  it('goes to the next endpoint at once', () => {
    expect(next([REFUSED], { legs: 2 })).to.equal(0);
    expect(next([LOST], { legs: 2, safe: true })).to.equal(0);
    expect(next([REFUSED, { ...REFUSED, leg: 1 }], { legs: 2 })).to.be.greaterThan(0);
  });

  it('waits for the other endpoint where one fails for good', () => {
    expect(next([LASTING], { legs: 2 })).to.equal(0);
    expect(next([REFUSED, { ...LASTING, leg: 1 }], { legs: 2 })).to.be.greaterThan(0);
    expect(next([LASTING, { ...LASTING, leg: 1 }], { legs: 2 })).to.equal(undefined);
  });

  it('stays with an endpoint that it has mended', () => {
    const error = new ConnectorError('MCPC_SESSION_LOST', 'gone', { delivered: 'rejected' });
    const attempts = [{ candidate: LEGS[0]!, error, ms: 1 }];
    const question = { attempts, safe: false, candidates: LEGS, left: 30_000 };
    expect(new Retry(SETTINGS, 'annotated').next(question)).to.deep.equal({ wait: 0, stay: true });
  });

  it('never sends what may have been carried out to another endpoint, unless it is safe', () => {
    expect(next([LOST], { legs: 2 })).to.equal(undefined);
  });

  it('counts what reached a server over all endpoints', () => {
    const lost = [LOST, { ...LOST, leg: 1 }, { ...LOST, leg: 2 }];
    expect(next(lost, { legs: 5, safe: true })).to.equal(undefined);
  });

  it('does not take an endpoint that nobody chooses for a reason to go on without a pause', () => {
    expect(next([REFUSED, REFUSED], { legs: 2 })).to.be.greaterThan(0);
    expect(next([LOST, LOST, LOST], { legs: 2, safe: true })).to.equal(undefined);
  });

  it('waits longer from attempt to attempt, jittered and capped', () => {
    for (let run = 0; run < 50; run++) {
      expect(next([REFUSED])).to.be.within(50, 100);
      expect(next([REFUSED, REFUSED])).to.be.within(100, 200);
      expect(next(Array.from({ length: 100 }, () => REFUSED))).to.be.within(500, 1_000);
      expect(next([LOST], { safe: true })).to.be.within(500, 1_000);
      expect(next([LOST, LOST], { safe: true })).to.be.within(1_000, 2_000);
    }
  });

  it('stops connecting when the time is up', () => {
    expect(next([REFUSED], { left: 10 })).to.equal(undefined);
  });

  it('honours Retry-After', () => {
    expect(next([limited(2_000)])).to.equal(2_000);
  });

  it('does not wait longer than half a minute, whatever the server asks', () => {
    expect(next([limited(30_000)])).to.equal(30_000);
    expect(next([limited(30_001)])).to.equal(undefined);
  });

  it('keeps retries below a fifth of all requests, but allows ten', () => {
    for (const [requests, retries] of [
      [1, 10],
      [40, 10],
      [100, 20],
    ] as const) {
      const retry = new Retry(SETTINGS, 'annotated');
      for (let n = 0; n < requests; n++) retry.count();
      const error = new ConnectorError('MCPC_CONNECTION_LOST', 'lost', { delivered: 'unknown' });
      const attempts = [{ candidate: LEGS[0]!, error, ms: 1 }];
      const question = { attempts, safe: true, candidates: LEGS.slice(0, 1), left: 30_000 };
      let allowed = 0;
      while (allowed <= requests + retries && retry.next(question) !== undefined) allowed++;
      expect(allowed, `of ${requests}`).to.equal(retries);
    }
  });

  describe('isSafe', () => {
    const retry = (tools: RetryTools): Retry => new Retry(SETTINGS, tools);

    it('knows the methods that do no harm when carried out twice', () => {
      for (const method of [
        'initialize',
        'server/discover',
        'ping',
        'tools/list',
        'prompts/list',
        'resources/list',
        'resources/templates/list',
        'prompts/get',
        'resources/read',
        'completion/complete',
        'resources/subscribe',
        'resources/unsubscribe',
        'logging/setLevel',
        'tasks/get',
        'tasks/list',
        'tasks/result',
      ])
        expect(
          retry('never').isSafe(method, () => undefined),
          method,
        ).to.equal(true);
      for (const method of ['tasks/cancel', 'acme/unknown', undefined])
        expect(
          retry('all').isSafe(method, () => undefined),
          method,
        ).to.equal(false);
    });

    it('judges a tool by what was listed last', () => {
      const learned = retry('annotated');
      const call = (name: unknown): boolean => learned.isSafe('tools/call', () => name);
      expect(call('read')).to.equal(false);
      learned.learn({
        tools: [
          { name: 'read', annotations: { readOnlyHint: true } },
          { name: 'put', annotations: { idempotentHint: true } },
          { name: 'add', annotations: { readOnlyHint: false } },
          { name: 'plain' },
        ],
      });
      expect(['read', 'put', 'add', 'plain', undefined].map(call)).to.deep.equal([
        true,
        true,
        false,
        false,
        false,
      ]);
      learned.learn({ tools: [{ name: 'read' }] });
      expect([call('read'), call('put')]).to.deep.equal([false, true]);
    });

    it('follows --retry-tools', () => {
      const [never, all] = [retry('never'), retry('all')];
      for (const each of [never, all])
        each.learn({ tools: [{ name: 't', annotations: { readOnlyHint: true } }] });
      expect(never.isSafe('tools/call', () => 't')).to.equal(false);
      expect(all.isSafe('tools/call', () => 'other')).to.equal(true);
    });

    it('learns nothing from a result of another shape', () => {
      for (const result of [undefined, null, 7, {}, { tools: 7 }, { tools: [null, 7, {}, { name: 7 }] }])
        expect(() => retry('annotated').learn(result)).not.to.throw();
    });
  });
});
