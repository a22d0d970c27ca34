import { expect } from 'chai';
import { ConnectorError, type ConnectorErrorOptions, type ErrorCode } from './errors.js';
import { Health } from './health.js';
import { createLog } from './log.js';

/** A health whose probes are in the hands of the test. */
class Patient {
  readonly health: Health;
  alone = false;
  ejected = 0;
  probes = 0;
  /** What the next probes end in; nothing for a sign of life. */
  readonly outcomes: (ConnectorError | undefined)[] = [];
  #onprobe: () => void = () => undefined;

  constructor(ejectionTime = 5) {
    this.health = new Health({
      label: 'the server',
      log: createLog({ level: 'error', write: () => undefined }),
      ejectionTime,
      alone: () => this.alone,
      probe: async () => {
        this.probes++;
        this.#onprobe();
        const error = this.outcomes.shift();
        if (error !== undefined) throw error;
      },
      onejected: () => void this.ejected++,
    });
  }

  fail(times: number, code: ErrorCode = 'MCPC_CONNECT', options?: ConnectorErrorOptions): this {
    for (let n = 0; n < times; n++) this.health.failed(failure(code, options));
    return this;
  }

  /** Settles when the probe that comes next has ended. */
  async probed(): Promise<void> {
    await new Promise<void>((resolve) => (this.#onprobe = resolve));
    await new Promise(setImmediate);
  }
}

function failure(code: ErrorCode = 'MCPC_CONNECT', options?: ConnectorErrorOptions): ConnectorError {
  return new ConnectorError(code, 'failed', options);
}

describe('Health', () => {
  let patient: Patient;

  beforeEach(() => (patient = new Patient()));
  afterEach(() => patient.health.close());

  it('ejects an endpoint with its third transport failure in a row', () => {
    patient.fail(2);
    expect(patient.health).to.include({ state: 'up', failures: 2 });
    patient.fail(1);
    expect(patient.health).to.include({ state: 'ejected', failures: 3, ejections: 1 });
    expect(patient.ejected).to.equal(1);
  });

  it('begins to count anew with every sign of life', () => {
    patient.fail(2).health.ok();
    patient.fail(2);
    expect(patient.health.state).to.equal('up');
  });

  it('counts a failure once, however many requests it ended', () => {
    const error = failure('MCPC_CONNECTION_LOST');
    for (let n = 0; n < 100; n++) patient.health.failed(error);
    expect(patient.health).to.include({ state: 'up', failures: 1 });
  });

  for (const code of ['MCPC_CONNECT', 'MCPC_TIMEOUT', 'MCPC_CONNECTION_LOST', 'MCPC_NO_ANSWER'] as const) {
    it(`takes ${code} for a failure of the transport`, () => {
      expect(patient.fail(3, code).health.state).to.equal('ejected');
    });
  }

  for (const code of ['MCPC_SESSION_LOST', 'MCPC_UNAUTHORIZED', 'MCPC_TOO_LARGE', 'MCPC_PLUGIN'] as const) {
    it(`does not count ${code}`, () => {
      expect(patient.fail(9, code).health).to.include({ state: 'up', failures: 0 });
    });
  }

  it('counts statuses from 500 upwards and no other', () => {
    expect(patient.fail(9, 'MCPC_HTTP_STATUS', { status: 422 }).health.state).to.equal('up');
    expect(patient.fail(3, 'MCPC_HTTP_STATUS', { status: 502 }).health.state).to.equal('ejected');
  });

  it('brings an endpoint back with a sign of life that it has asked for', async () => {
    patient.fail(3);
    await patient.probed();
    expect(patient.health).to.include({ state: 'up', failures: 0 });
  });

  it('takes any answer for a sign of life, a refusal included', async () => {
    patient.fail(3).outcomes.push(failure('MCPC_HTTP_STATUS', { status: 400 }));
    await patient.probed();
    expect(patient.health.state).to.equal('up');
  });

  it('ejects it again, for longer each time, while there is none', async () => {
    patient.fail(3).outcomes.push(failure(), failure());
    const waits: number[] = [];
    for (let n = 0; n < 2; n++) {
      await patient.probed();
      expect(patient.health.state).to.equal('ejected');
      waits.push(patient.health.dueAt - performance.now());
    }
    await patient.probed();
    expect(patient.health).to.include({ state: 'up', ejections: 3 });
    expect(waits[0]).to.be.within(0, 2 * 5 * 1.2);
    expect(waits[1]).to.be.within(5, 3 * 5 * 1.2);
  });

  it('asks for a sign of life after a single failure too: nobody else may', async () => {
    patient.fail(1);
    await patient.probed();
    expect(patient.health.failures).to.equal(0);
  });

  it('brings it back at once when it answers a request in spite of all', () => {
    patient.fail(3).health.ok();
    expect(patient.health.state).to.equal('up');
  });

  it('never ejects the only endpoint, and asks it nothing', () => {
    patient.alone = true;
    expect(patient.fail(9).health.state).to.equal('up');
    expect(patient.ejected).to.equal(0);
  });

  it('leaves a server alone until the time that it asks for, whatever else it answers meanwhile', () => {
    patient.fail(1, 'MCPC_RATE_LIMITED', { retryAfter: 60_000 }).health.ok();
    expect(patient.health).to.include({ state: 'ejected', failures: 0, ejections: 0 });
    expect(patient.health.dueAt - performance.now()).to.be.within(50_000, 60_000);
  });
});
