import { expect } from 'chai';
import { EXTENSION, listScenarios, runScenario, type Check, type Verdict } from './harness.js';

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

const NOW = '2026-07-28';

/** The official scenarios of signing in, each with the latest revision that it applies to, or with those that differ. */
const SIGNING_IN: Readonly<Record<string, readonly string[]>> = {
  'auth/metadata-default': [NOW],
  'auth/metadata-var1': [NOW],
  'auth/metadata-var2': [NOW],
  'auth/metadata-var3': [NOW],
  'auth/basic-cimd': [NOW],
  'auth/scope-from-www-authenticate': [NOW],
  'auth/scope-from-scopes-supported': [NOW],
  'auth/scope-omitted-when-undefined': [NOW],
  'auth/scope-step-up': ['2025-11-25', NOW],
  'auth/scope-retry-limit': [NOW],
  'auth/token-endpoint-auth-basic': [NOW],
  'auth/token-endpoint-auth-post': [NOW],
  'auth/token-endpoint-auth-none': ['2025-06-18', NOW],
  'auth/pre-registration': [NOW],
  'auth/2025-03-26-oauth-metadata-backcompat': ['2025-03-26'],
  'auth/2025-03-26-oauth-endpoint-fallback': ['2025-03-26'],
  'auth/resource-mismatch': [NOW],
  'auth/offline-access-scope': [NOW],
  'auth/offline-access-not-supported': [NOW],
  'auth/authorization-server-migration': [NOW],
  'auth/iss-supported': [NOW],
  'auth/iss-not-advertised': [NOW],
  'auth/iss-supported-missing': [NOW],
  'auth/iss-wrong-issuer': [NOW],
  'auth/iss-unexpected': [NOW],
  'auth/iss-normalized': [NOW],
  'auth/metadata-issuer-mismatch': [NOW],
  'auth/client-credentials-jwt': [EXTENSION],
  'auth/client-credentials-basic': [EXTENSION],
  'auth/enterprise-managed-authorization': [EXTENSION],
  'auth/dpop': [EXTENSION],
  'auth/dpop-nonce': [EXTENSION],
  'auth/wif-jwt-bearer': [EXTENSION],
};

/** Scenarios that are run with a client of the other era, too: the revision of the scenario, and of the client. */
const ACROSS: Readonly<Record<string, readonly (readonly [string, string])[]>> = {
  'elicitation-sep1034-client-defaults': [['2025-11-25', NOW]],
  'sse-retry': [['2025-11-25', NOW]],
  'json-schema-2020-12-preservation': [[NOW, '2025-11-25']],
  'http-custom-headers': [[NOW, '2025-11-25']],
  'http-invalid-tool-headers': [[NOW, '2025-11-25']],
  'sep-2322-client-request-state': [[NOW, '2025-11-25']],
};

/** A family that is not the line's: skills, which a client handles by itself. */
const ELSEWHERE = /^sep-2640-/;
const FAMILY = /^auth\//;

describe('conformance, as the official harness sees it', () => {
  it('no scenario is forgotten', async () => {
    const offered = await listScenarios('client');
    const ours = [...offered].filter(([name]) => !ELSEWHERE.test(name));
    expect(Object.fromEntries(ours.filter(([name]) => !FAMILY.test(name)))).to.deep.equal(SCENARIOS);
    const signingIn = ours.filter(([name]) => FAMILY.test(name));
    expect(signingIn.map(([name]) => name)).to.have.members(Object.keys(SIGNING_IN));
    for (const [name, revisions] of signingIn)
      expect(revisions, name).to.include.members([...SIGNING_IN[name]!]);
  });

  for (const [scenario, revisions] of Object.entries({ ...SCENARIOS, ...SIGNING_IN })) {
    for (const revision of revisions) {
      it(`${scenario}, ${revision}`, async () => {
        expectPassed(await runScenario(scenario, revision));
      });
    }
  }

  for (const [scenario, pairs] of Object.entries(ACROSS)) {
    for (const [revision, spoken] of pairs) {
      it(`${scenario}, ${revision}, for a client of ${spoken}`, async () => {
        expectPassed(await runScenario(scenario, revision, spoken));
      });
    }
  }
});

function expectPassed({ passed, checks, report }: Verdict): void {
  expect(passed, report).to.equal(true);
  expect(checks.some(({ status }) => status === 'SUCCESS')).to.equal(true);
  // Where the harness tells who spoke to it, it was mcp-connect and no SDK.
  for (const agent of checks.flatMap(agentOf)) expect(agent).to.match(/^mcp-connect/);
}

function agentOf({ details }: Check): unknown {
  const headers = details?.['headers'] as Readonly<Record<string, unknown>> | undefined;
  return headers?.['user-agent'] ?? [];
}
