import { ConnectorError } from '@mcp-connect/core';
import { setTimeout as sleep } from 'node:timers/promises';
import { readAssertion } from './assertion.js';
import { discoverServer, givenServer, hintAt } from './discover.js';
import type { AuthorizationServer, ClientIdentity, Tokens } from './model.js';
import { Refusal, refusalIn } from './refusal.js';
import { identify, staticIdentity } from './register.js';
import { questionOf, tokenClientFor, type Attempt, type Granted } from './attempt.js';
import { unusable, type WebReply } from './web.js';

const DEVICE_CODE = 'urn:ietf:params:oauth:grant-type:device_code';

/** How often to ask where the server names no interval, and how much longer to wait when it asks for that, in seconds. */
const INTERVAL = 5;

/** How long a code holds where the server does not say, in seconds. */
const LIFE = 600;

/**
 * Signs in by a code that the user types on another device (RFC 8628).
 *
 * @throws ConnectorError `MCPC_SIGN_IN` when the user refused or the code expired
 */
export async function signInByCode(attempt: Attempt, signal: AbortSignal): Promise<Granted> {
  const { server, scopes, audience } = attempt;
  if (server.deviceAuthorizationEndpoint === undefined) {
    throw new ConnectorError('MCPC_SIGN_IN', `${server.issuer} offers no sign-in by device code.`, {
      hint: hintAt(server, 'Leave out --oauth-grant to sign in with a browser'),
    });
  }
  const client = await identify(questionOf(attempt, { signal }));
  const tokens = tokenClientFor(attempt, client);
  const what = 'the device authorization endpoint';
  const reply = await tokens.send(
    server.deviceAuthorizationEndpoint,
    { scope: scopeOf(scopes), resource: audience },
    { what, signal },
  );
  const device = deviceIn(reply, attempt);
  attempt.onpage(device.completePage ?? device.page);
  await attempt.person.showCode(device);
  const params = { device_code: device.deviceCode, resource: audience };
  return { client, tokens: await poll(device, () => tokens.grant(DEVICE_CODE, params, signal), signal) };
}

interface Device {
  readonly page: URL;
  readonly completePage?: URL;
  readonly code: string;
  readonly deviceCode: string;
  /** Seconds between two questions. */
  readonly interval: number;
  /** When the code ends, in milliseconds since 1970. */
  readonly ends: number;
}

function deviceIn({ status, json }: WebReply, { web, server: { issuer } }: Attempt): Device {
  if (status !== 200) {
    const { error, text } = refusalIn(json, status);
    throw new Refusal(`${issuer} gives no device code ${text}.`, { error, status });
  }
  const { device_code: deviceCode, user_code: code, verification_uri_complete: complete } = json ?? {};
  if (typeof deviceCode !== 'string' || typeof code !== 'string') {
    throw unusable(`${issuer} answered without a device code`);
  }
  const what = 'the page for the code';
  return {
    page: web.address(json?.['verification_uri'], what),
    ...(complete !== undefined && { completePage: web.address(complete, what) }),
    code,
    deviceCode,
    interval: Number(json?.['interval'] ?? INTERVAL),
    ends: Date.now() + Number(json?.['expires_in'] ?? LIFE) * 1000,
  };
}

async function poll(device: Device, ask: () => Promise<Tokens>, signal: AbortSignal): Promise<Tokens> {
  let { interval } = device;
  for (;;) {
    await sleep(interval * 1000, undefined, { signal });
    try {
      return await ask();
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      if (error.error === 'slow_down') interval += INTERVAL;
      else if (error.error !== 'authorization_pending' || Date.now() > device.ends) throw error;
    }
  }
}

const JWT_BEARER = 'urn:ietf:params:oauth:grant-type:jwt-bearer';
const TOKEN_EXCHANGE = 'urn:ietf:params:oauth:grant-type:token-exchange';
const ID_JAG = 'urn:ietf:params:oauth:token-type:id-jag';
const ID_TOKEN = 'urn:ietf:params:oauth:token-type:id_token';

/**
 * Signs in without a person: by a secret or key of ours, by the word of an enterprise's identity provider, or by an
 * assertion of the platform that we run on (MCP extensions oauth-client-credentials and enterprise-managed-authorization,
 * RFC 7523 section 2.1).
 */
export async function machineGrant(attempt: Attempt, signal: AbortSignal): Promise<Granted> {
  const { config, scopes, audience } = attempt;
  const client = await machineClient(attempt, signal);
  const tokens = tokenClientFor(attempt, client);
  const params = { scope: scopeOf(scopes), resource: audience };
  if (config.grant === 'client-credentials') {
    return { client, tokens: await tokens.grant('client_credentials', params, signal) };
  }
  const own = await readAssertion(config, attempt.log);
  const assertion = config.grant === 'enterprise' ? await exchange(attempt, own, signal) : own;
  return { client, tokens: await tokens.grant(JWT_BEARER, { ...params, assertion }, signal) };
}

/** An assertion speaks for itself, so a workload needs no client id. */
async function machineClient(attempt: Attempt, signal: AbortSignal): Promise<ClientIdentity> {
  const { grant, clientId } = attempt.config;
  if (grant !== 'workload-identity' || clientId !== undefined)
    return identify(questionOf(attempt, { signal }));
  return { id: '', authMethod: 'none', origin: 'static' };
}

/** Exchanges the user's identity token for an assertion that the MCP server's authorization server takes (ID-JAG). */
async function exchange(attempt: Attempt, idToken: string, signal: AbortSignal): Promise<string> {
  const { config, server, scopes, audience, log } = attempt;
  const provider = await providerOf(attempt, signal);
  // The secret of one authorization server is nothing for another.
  const { clientId = config.clientId, clientSecret } = config.idp ?? {};
  const client = staticIdentity({ clientId, clientSecret }, provider);
  const asking = tokenClientFor({ ...attempt, server: provider, dpopKey: undefined }, client);
  const reply = await asking.ask(
    TOKEN_EXCHANGE,
    {
      requested_token_type: ID_JAG,
      audience: server.issuer,
      resource: audience,
      scope: scopeOf(scopes),
      subject_token: idToken,
      subject_token_type: ID_TOKEN,
    },
    signal,
  );
  const { access_token: assertion, issued_token_type: type } = reply;
  if (typeof assertion !== 'string' || type !== ID_JAG) {
    throw unusable(`${provider.issuer} answered with something that is no ID-JAG`);
  }
  log.hide(assertion);
  return assertion;
}

/** The identity provider, which only the user names. */
async function providerOf({ config, web }: Attempt, signal: AbortSignal): Promise<AuthorizationServer> {
  const { issuer, tokenUrl } = config.idp ?? {};
  if (tokenUrl !== undefined) return givenServer({ tokenUrl })!;
  if (issuer !== undefined) {
    return discoverServer(web, { audience: issuer, issuers: [issuer], described: true }, signal);
  }
  throw new ConnectorError('MCPC_SIGN_IN', 'No identity provider is named for the enterprise sign-in.', {
    hint: 'Give --oauth-idp-issuer URL or --oauth-idp-token-url URL',
  });
}

function scopeOf(scopes: readonly string[]): string | undefined {
  return scopes.length > 0 ? scopes.join(' ') : undefined;
}
