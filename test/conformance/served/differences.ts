import type { Check } from '../harness.js';
import { eraOf, type Pair } from './pair.js';

/** Checks that do not go through mcp-connect as they go without it, and could not. */
interface Limit {
  readonly reason: string;
  applies(pair: Pair): boolean;
  /** Their names, scenario by scenario. */
  readonly checks: Readonly<Record<string, readonly string[]>>;
}

const isModern = ({ revision }: Pair): boolean => eraOf(revision) === 'modern';

const LIMITS: readonly Limit[] = [
  {
    reason: 'the front answers in JSON where the answer is all there is, and ends no stream before it',
    applies: ({ revision }) => revision === '2025-11-25',
    checks: {
      'server-sse-polling': ['ServerSendsPrimingEvent', 'ServerSendsRetryField', 'ServerDisconnectResume'],
      'server-sse-multiple-streams': ['ServerSSEStreamsFunctional'],
    },
  },
  {
    reason: 'stdio has no headers, so the arguments of a tool cannot be compared with any',
    applies: isModern,
    checks: {
      'http-custom-header-server-validation': [
        'ServerRejectsInvalidBase64Padding',
        'ServerRejectsInvalidBase64PaddingErrorCode',
        'ServerRejectsInvalidBase64Chars',
        'ServerRejectsInvalidBase64CharsErrorCode',
        'ServerRejectsMissingCustomHeader',
        'ServerRejectsMissingCustomHeaderErrorCode',
      ],
    },
  },
  {
    reason: 'a server of the SDK that speaks lines looks at the revision of the first request only',
    applies: (pair) => isModern(pair) && pair.server === 'modern' && pair.wire !== 'http',
    checks: { 'server-stateless': ['ServerUnsupportedVersionError', 'HttpServerUnsupportedVersion400'] },
  },
  {
    reason: 'a legacy server answers a client that cannot do enough in words of its own',
    applies: (pair) => isModern(pair) && pair.server === 'legacy',
    checks: { 'server-stateless': ['ServerRejectsUndeclaredCapability', 'MissingCapabilityHttp400'] },
  },
  {
    reason:
      'the questions of a legacy server have no names, so the bridge names them, and knows no other names',
    applies: (pair) => isModern(pair) && pair.server === 'legacy',
    checks: {
      'input-required-result-basic-elicitation': [
        'InputRequiredResultElicitationIncomplete',
        'InputRequiredResultElicitationComplete',
      ],
      'input-required-result-ignore-extra-params': ['IgnoreUnexpectedParams'],
    },
  },
];

/** What came out of scenarios: the checks of each, by its name. */
export type Outcome = ReadonlyMap<string, readonly Check[]>;

/** Names the checks that cannot go through mcp-connect as they go without it, and why. */
export function limitsOf(pair: Pair): ReadonlyMap<string, string> {
  const applying = LIMITS.filter((limit) => limit.applies(pair));
  return new Map(
    applying.flatMap(({ reason, checks }) =>
      Object.entries(checks).flatMap(([scenario, names]) =>
        names.map((name) => [keyOf(scenario, name), reason] as const),
      ),
    ),
  );
}

/** Names the checks that went otherwise than without mcp-connect. */
export function differencesBetween(direct: Outcome, through: Outcome): string[] {
  const [expected, found] = [statusesOf(direct), statusesOf(through)];
  const keys = new Set([...expected.keys(), ...found.keys()]);
  return Array.from(keys).filter((key) => expected.get(key) !== found.get(key));
}

/** Counts the checks that were passed, and those that were not. */
export function countsOf(outcome: Outcome): { readonly passed: number; readonly failed: number } {
  const statuses = Array.from(outcome.values()).flatMap((checks) => checks.map(({ status }) => status));
  return {
    passed: statuses.filter((status) => status === 'SUCCESS').length,
    failed: statuses.filter((status) => status === 'FAILURE' || status === 'WARNING').length,
  };
}

/** The statuses of checks; a scenario may make one of them several times. */
function statusesOf(outcome: Outcome): ReadonlyMap<string, string> {
  const statuses = new Map<string, string>();
  for (const [scenario, checks] of outcome) {
    for (const { name, status } of checks) {
      const key = keyOf(scenario, name);
      if (status !== 'INFO') statuses.set(key, `${statuses.get(key) ?? ''} ${status}`);
    }
  }
  return statuses;
}

function keyOf(scenario: string, name: string): string {
  return `${scenario}: ${name}`;
}
