import { expect } from 'chai';
import type { CheckReport } from './check.js';
import { tableOf } from './table.js';

const REPORT: CheckReport = {
  ok: false,
  endpoint: 'https://x.example/mcp',
  transport: 'http',
  steps: [
    { name: 'connect', status: 'ok', ms: 12, text: '10.0.0.1 port 443' },
    { name: 'initialize', status: 'failed', ms: 3, text: 'bad \u001b[31m news' },
  ],
  error: { code: 'MCPC_CONNECT', message: 'bad \u001b[31m news', hint: 'Look there' },
  next: 'mcp-connect test',
};

describe('the table of a check', () => {
  it('shows every step with its time, the failure and what to type next', () => {
    const table = tableOf(REPORT, { colour: false });
    for (const words of [
      '✓ connect',
      '12 ms',
      '✗ initialize',
      'Failed: bad',
      'Look there.',
      'Next: mcp-connect test',
    ])
      expect(table).to.include(words);
  });

  it('lets nothing that a server says reach the terminal as a command', () => {
    expect(tableOf(REPORT, { colour: false })).not.to.include('\u001b');
    expect(tableOf(REPORT, { colour: true })).not.to.include('\u001b[31m news');
  });

  it('cuts its lines to the terminal', () => {
    const lines = tableOf(REPORT, { colour: false, width: 30 }).split('\n').slice(2, 4);
    for (const line of lines) expect(line.length).to.be.at.most(30);
  });
});
