import { expect } from 'chai';
import { listScenarios, runScenario, type Check } from './harness.js';

/** The official scenarios for clients that a proxy has to pass, with the revisions in which each is run. */
const SCENARIOS: Readonly<Record<string, readonly string[]>> = {
  initialize: ['2025-06-18', '2025-11-25'],
  tools_call: ['2025-06-18', '2025-11-25', '2026-07-28'],
  'elicitation-sep1034-client-defaults': ['2025-11-25'],
  'sse-retry': ['2025-11-25'],
  'json-schema-2020-12-preservation': ['2025-11-25', '2026-07-28'],
  'request-metadata': ['2026-07-28'],
  'http-standard-headers': ['2026-07-28'],
  'http-custom-headers': ['2026-07-28'],
  'http-invalid-tool-headers': ['2026-07-28'],
  'json-schema-ref-no-deref': ['2026-07-28'],
  'sep-2322-client-request-state': ['2026-07-28'],
};

/** Whole families that are not the line's: signing in (issue 4), and skills, which a client handles by itself. */
const ELSEWHERE = /^(auth\/|sep-2640-)/;

describe('conformance, as the official harness sees it', () => {
  it('no scenario is forgotten', async () => {
    const offered = await listScenarios();
    const ours = [...offered].filter(([name]) => !ELSEWHERE.test(name));
    expect(Object.fromEntries(ours)).to.deep.equal(SCENARIOS);
  });

  for (const [scenario, revisions] of Object.entries(SCENARIOS)) {
    for (const revision of revisions) {
      it(`${scenario}, ${revision}`, async () => {
        const { passed, checks, report } = await runScenario(scenario, revision);
        expect(passed, report).to.equal(true);
        expect(checks.some(({ status }) => status === 'SUCCESS')).to.equal(true);
        // Where the harness tells who spoke to it, it was mcp-connect and no SDK.
        for (const agent of checks.flatMap(agentOf)) expect(agent).to.match(/^mcp-connect/);
      });
    }
  }
});

function agentOf({ details }: Check): unknown {
  const headers = details?.['headers'] as Readonly<Record<string, unknown>> | undefined;
  return headers?.['user-agent'] ?? [];
}
