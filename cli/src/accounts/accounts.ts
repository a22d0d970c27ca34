import {
  Connector,
  ConnectorError,
  definePlugin,
  toConnectorError,
  type Log,
  type Plugin,
} from '@mcp-connect/core';
import type { SignIns, SignInSummary } from '@mcp-connect/auth-oauth/sign-ins';
import { MODES, type Mode } from '../command-line/modes.js';
import { LOGIN_FLAGS, LOGOUT_FLAGS, WHOAMI_FLAGS } from '../flags/accounts.js';
import type { CommonValues, Values } from '../flags/flags.js';
import { openLog } from '../output/log-sinks.js';
import { showProgress } from '../output/progress.js';
import { tell } from '../output/report.js';
import { ownValues, prepare, type Invocation, type Surroundings } from '../serve/proxy.js';
import { greet } from './greet.js';

const OAUTH = '@mcp-connect/auth-oauth';

/** Behind all plugins, so that what they put on a message can be seen. */
const LAST = 1_000;

/** How `login` reads its line: as `proxy` does. */
export const LOGIN: Mode = {
  ...MODES.proxy,
  flags: LOGIN_FLAGS,
  endpoints(values, words) {
    if (values['endpoint'] !== undefined || words.length > 0) return MODES.proxy.endpoints(values, words);
    throw new ConnectorError('MCPC_USAGE', 'No --endpoint is given.', {
      hint: 'Add --endpoint https://example.com/mcp',
    });
  },
};

/** How `logout` reads its line. */
export const LOGOUT: Mode = {
  ...MODES.proxy,
  flags: LOGOUT_FLAGS,
  endpoints: anyEndpoint,
  everyServer: true,
};

/** How `whoami` reads its line. */
export const WHOAMI: Mode = {
  ...MODES.proxy,
  flags: WHOAMI_FLAGS,
  endpoints: anyEndpoint,
  everyServer: true,
};

function anyEndpoint(values: Values, words: readonly string[]): ReturnType<Mode['endpoints']> {
  return values['endpoint'] === undefined && words.length === 0 ? [] : MODES.proxy.endpoints(values, words);
}

/** A command line whose plugins are known, and what it speaks to. */
interface Scene {
  readonly invocation: Invocation;
  readonly connector: Connector;
  readonly log: Log;
  readonly signIns: SignIns;
  /** The address that `--endpoint` names. */
  readonly endpoint: URL | undefined;
  /** The profile, where one was asked for by name. */
  readonly profile: string;
  /** Prints the result: a value for programs, or lines for people. */
  print(value: unknown, lines: readonly string[]): void;
}

/** Signs in to a server, as `proxy` would. Never throws: a failure is one line on stderr. Returns the exit code. */
export function login(invocation: Invocation, around: Surroundings): Promise<number> {
  const asking = { 'auth-wait': true, 'no-sign-in': false };
  const waiting = { ...invocation, values: { ...invocation.values, ...asking } };
  return run(
    waiting,
    { around, doing: 'Signing in' },
    async ({ connector, signIns, endpoint, profile, print }) => {
      const address = required(endpoint);
      let signed = false;
      connector.use(
        definePlugin({
          name: 'mcp-connect/login',
          apply: ({ hooks }) =>
            hooks.authenticate.tap({ name: 'mcp-connect/login', stage: LAST }, ({ headers }) => {
              signed = headers['authorization'] !== undefined;
            }),
        }),
      );
      const earlier = await signIns.list({ endpoint: address, profile });
      await greet(connector);
      const [signIn] = await signIns.list({ endpoint: address, profile });
      if (signIn !== undefined) {
        const already = earlier.some((each) => isSame(each, signIn));
        print({ ...signIn, already }, [already ? keptText(signIn) : `Signed in to ${nameOf(signIn)}.`]);
      } else if (!signed) print(null, [`${address.href} asks for no sign-in.`]);
      else throw unkept(address);
      return 0;
    },
  );
}

/** Ends sign-ins. Never throws: a failure is one line on stderr. Returns the exit code. */
export function logout(invocation: Invocation, around: Surroundings): Promise<number> {
  return run(invocation, { around, doing: 'Signing out' }, async ({ signIns, endpoint, profile, print }) => {
    const all = invocation.values['all'] === true;
    const ended = await signIns.end(all ? {} : { endpoint: required(endpoint, ', or --all'), profile });
    const lines = ended.map((signIn) => {
      const told =
        signIn.revocation === 'revoked'
          ? 'its tokens are revoked'
          : 'its tokens are forgotten here, but its server was not told';
      return `Signed out of ${nameOf(signIn)}: ${told}.`;
    });
    print(ended, lines.length > 0 ? lines : ['Nobody was signed in.']);
    return 0;
  });
}

/** Lists sign-ins. Returns 1 when an endpoint is named to which nobody is signed in, or which no longer takes it. */
export function whoami(invocation: Invocation, around: Surroundings): Promise<number> {
  return run(invocation, { around, doing: 'Looking at the sign-ins' }, async (scene) => {
    const { signIns, endpoint, print } = scene;
    const found = await signIns.list({ endpoint });
    const verify = invocation.values['verify'] === true;
    const known = await Promise.all(
      found.map(async (signIn) => (verify ? { ...signIn, verdict: await verdictOn(signIn, scene) } : signIn)),
    );
    print(known, known.length > 0 ? known.flatMap(describe) : ['Nobody is signed in.']);
    const usable = known.filter(
      (each) => each.state !== 'over' && !('verdict' in each && each.verdict !== 'accepted'),
    );
    // Where nobody is signed in, nothing was there to be verified.
    return usable.length === 0 && (endpoint !== undefined || (verify && known.length > 0)) ? 1 : 0;
  });
}

async function run(
  invocation: Invocation,
  { around, doing }: { readonly around: Surroundings; readonly doing: string },
  work: (scene: Scene) => Promise<number>,
): Promise<number> {
  const { values, plugins } = invocation;
  const { stderr, env } = around;
  const showing = showProgress(doing, { stderr, env, json: values['json'] === true });
  // What is said is for a person to act on, and an address may be pasted on the line of the spinner.
  const also = (): void => void showing.then((shown) => shown.done());
  const log = openLog(values as Values & CommonValues, { stderr, env, also });
  const progress = await showing;
  try {
    const { connector } = await prepare(invocation, log, around.env);
    const { SignIns } = await import('@mcp-connect/auth-oauth/sign-ins');
    const oauth = plugins.find(({ name }) => name === OAUTH)!;
    const flags = ownValues(oauth, values) as never;
    return await work({
      invocation,
      connector,
      log,
      signIns: new SignIns({ settings: connector.settings, log: log.child('auth-oauth'), flags }),
      endpoint: webAddress(connector),
      profile: String(values['profile']),
      print: (value, lines) => {
        progress.done();
        const text = values['json'] === true ? JSON.stringify(value, undefined, 2) : lines.join('\n');
        around.stdout.write(`${text}\n`);
      },
    });
  } catch (error) {
    progress.done();
    return tell(error, { stderr, log, invocation });
  }
}

/** Asks a server whether it takes a sign-in. */
async function verdictOn(
  signIn: SignInSummary,
  { connector: { settings, log }, signIns, invocation }: Scene,
): Promise<'accepted' | 'refused' | 'unreachable'> {
  const account = signIns.account(signIn);
  const asker = new Connector({ settings, log });
  asker.endpoint(signIn.resource);
  for (const plugin of invocation.plugins.filter(isTransport)) asker.use(plugin);
  asker.hooks.authenticate.tap(OAUTH, (credentials) => account.sign(credentials));
  try {
    await greet(asker);
    return 'accepted';
  } catch (error) {
    const { code } = toConnectorError(error, 'MCPC_CONNECT');
    return code === 'MCPC_UNAUTHORIZED' ? 'refused' : 'unreachable';
  }
}

function isTransport({ name }: Plugin): boolean {
  return name === '@mcp-connect/transport-http';
}

function webAddress({ endpoints: [endpoint] }: Connector): URL | undefined {
  if (endpoint === undefined) return undefined;
  const { url, label } = endpoint;
  if (url?.protocol === 'https:' || url?.protocol === 'http:') return url;
  throw new ConnectorError(
    'MCPC_USAGE',
    `${label} is no web address; only servers on the web are signed in to.`,
    {
      hint: 'Give --endpoint https://host/path',
    },
  );
}

function required(endpoint: URL | undefined, or = ''): URL {
  if (endpoint !== undefined) return endpoint;
  throw new ConnectorError('MCPC_USAGE', 'No --endpoint is given.', {
    hint: `Add --endpoint https://example.com/mcp${or}`,
  });
}

function unkept(endpoint: URL): ConnectorError {
  return new ConnectorError(
    'MCPC_SIGN_IN',
    `${endpoint.href} let you in, but no sign-in of yours was stored.`,
    {
      hint: 'Leave out other credentials, and check that the folder named by MCP_CONNECT_STATE_DIR can be written',
    },
  );
}

/** True for a sign-in that was merely renewed, if at all: what the user gave to sign in with was not asked for. */
function isSame(earlier: SignInSummary, { issuer, signedInAt }: SignInSummary): boolean {
  return earlier.issuer === issuer && earlier.signedInAt === signedInAt;
}

function keptText(signIn: SignInSummary): string {
  const { resource, profile } = signIn;
  const account = profile === 'default' ? '' : ` --profile ${profile}`;
  return `Already signed in to ${nameOf(signIn)}. To sign in anew, run first: mcp-connect logout --endpoint ${resource}${account}`;
}

function nameOf({ resource, issuer, profile }: SignInSummary): string {
  return `${resource} at ${issuer} (profile ${profile})`;
}

function describe(signIn: SignInSummary & { readonly verdict?: string }): string[] {
  const { resource, issuer, profile, clientId, scopes, verdict } = signIn;
  return [
    resource,
    `  profile  ${profile}`,
    `  server   ${issuer}`,
    `  client   ${clientId}`,
    ...(scopes.length > 0 ? [`  scopes   ${scopes.join(' ')}`] : []),
    `  sign-in  ${stateText(signIn)}${verdict === undefined ? '' : `; the server says: ${verdict}`}`,
  ];
}

function stateText({ state, expiresAt }: SignInSummary): string {
  if (state === 'over') return 'over; sign in again with mcp-connect login';
  if (state === 'expired') return 'valid; its token is renewed when it is next used';
  return expiresAt === undefined ? 'valid' : `valid; its token ends ${new Date(expiresAt).toISOString()}`;
}
