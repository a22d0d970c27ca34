import { mkdtempSync, rmSync } from 'node:fs';
import type { ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createLog } from '@mcp-connect/core';
import { expect } from 'chai';
import { accountAt, json, ScriptedServer, signed, type Answer, type Script } from './scripted.test.js';
import { FileStore } from './store.js';

const TOLD = { status: 401, wwwAuthenticate: 'Bearer' };
const quiet = createLog({ level: 'error', write: () => undefined });

/** A token endpoint that counts its tokens, which end at once unless told otherwise. */
function countingTokens(expiresIn: number, refreshed: object | Answer = {}): Answer {
  let count = 0;
  return (response, url, body) => {
    const grant = body.get('grant_type');
    if (grant === 'refresh_token' && typeof refreshed === 'function')
      return (refreshed as Answer)(response, url, body);
    const more = grant === 'refresh_token' ? refreshed : { refresh_token: 'first-refresh' };
    return json(response, {
      access_token: `token-${++count}`,
      token_type: 'Bearer',
      expires_in: expiresIn,
      ...more,
    });
  };
}

function refuse(response: ServerResponse): void {
  json(response, { error: 'invalid_grant' }, 400);
}

describe('An account', () => {
  let server: ScriptedServer;
  let folder: string;
  beforeEach(() => (folder = mkdtempSync(join(tmpdir(), 'mcp-connect-'))));
  afterEach(async () => {
    rmSync(folder, { recursive: true });
    await server.close();
  });

  const open = async (script?: Script): Promise<ScriptedServer> => {
    server = new ScriptedServer(() => script ?? {});
    await server.open();
    return server;
  };
  const grants = (): (string | null)[] => server.forms('/token').map((form) => form.get('grant_type'));

  it('puts nothing on messages before a sign-in, and its token afterwards, at once', async () => {
    const { account, settled } = accountAt(await open());
    expect(await signed(account)).to.equal(undefined);
    await account.answer(TOLD);
    const credentials = { headers: {} as Record<string, string> };
    expect(account.sign(credentials)).to.equal(undefined);
    expect(credentials.headers).to.deep.equal({ authorization: 'Bearer the-token' });
    expect(account.signed(credentials)).to.equal(true);
    await settled();
  });

  it('leaves a header alone that is there already', async () => {
    const { account } = accountAt(await open());
    const credentials = { headers: { authorization: 'Basic eDp5' } };
    await account.sign(credentials);
    expect(credentials.headers).to.deep.equal({ authorization: 'Basic eDp5' });
    expect(account.signed(credentials)).to.equal(false);
  });

  it('asks for what the standards want: PKCE, the resource, the scopes of the challenge', async () => {
    const { account, settled } = accountAt(await open());
    await account.answer({ status: 401, wwwAuthenticate: 'Basic, Bearer scope="b a"' });
    await settled();
    const [authorization] = server.queries('/authorize');
    expect(Object.fromEntries(authorization!)).to.include({
      response_type: 'code',
      client_id: 'us',
      code_challenge_method: 'S256',
      resource: `${server.origin}/mcp`,
      scope: 'b a',
    });
    const [form] = server.forms('/token');
    expect(Object.fromEntries(form!)).to.include({
      grant_type: 'authorization_code',
      client_id: 'us',
      code: 'the-code',
      resource: `${server.origin}/mcp`,
      redirect_uri: authorization!.get('redirect_uri'),
    });
    expect(form!.has('client_secret')).to.equal(false);
    const [registration] = server.bodies('/register');
    expect(JSON.parse(registration!)).to.include({
      application_type: 'native',
      token_endpoint_auth_method: 'none',
    });
  });

  it('renews a token that has ended, and keeps the refresh token when no new one comes', async () => {
    const { account, settled } = accountAt(await open({ answers: { '/token': countingTokens(0) } }));
    await account.answer(TOLD);
    expect(await signed(account)).to.equal('Bearer token-2');
    expect(await signed(account)).to.equal('Bearer token-3');
    expect(grants()).to.deep.equal(['authorization_code', 'refresh_token', 'refresh_token']);
    const refreshTokens = server.forms('/token').map((form) => form.get('refresh_token'));
    expect(refreshTokens).to.deep.equal([null, 'first-refresh', 'first-refresh']);
    await settled();
  });

  it('takes the next refresh token where the server rotates them', async () => {
    const tokens = countingTokens(0, { refresh_token: 'second-refresh' });
    const { account, settled } = accountAt(await open({ answers: { '/token': tokens } }));
    await account.answer(TOLD);
    await signed(account);
    await signed(account);
    expect(server.forms('/token').map((form) => form.get('refresh_token'))).to.deep.equal([
      null,
      'first-refresh',
      'second-refresh',
    ]);
    await settled();
  });

  it('takes a renewal for no new sign-in', async () => {
    const store = new FileStore({ log: quiet });
    await open({ answers: { '/token': countingTokens(0) } });
    const { account, settled } = accountAt(server, { store });
    await account.answer(TOLD);
    const [first] = await store.list();
    await signed(account);
    const [renewed] = await store.list();
    expect(renewed?.tokens?.accessToken).to.equal('token-2');
    expect(renewed?.signedInAt).to.be.a('number').and.to.equal(first?.signedInAt);
    await settled();
  });

  it('renews once for messages that come together', async () => {
    const { account, settled } = accountAt(await open({ answers: { '/token': countingTokens(0) } }));
    await account.answer(TOLD);
    const all = await Promise.all([signed(account), signed(account), signed(account)]);
    expect(all).to.deep.equal(['Bearer token-2', 'Bearer token-2', 'Bearer token-2']);
    await settled();
  });

  it('renews a refused token once for refusals that come together, and not again for one that comes late', async () => {
    const { account, settled } = accountAt(await open({ answers: { '/token': countingTokens(3600) } }));
    await account.answer(TOLD);
    const refused = { authorization: 'Bearer token-1' };
    await Promise.all([account.answer(TOLD, refused), account.answer(TOLD, refused)]);
    await account.answer(TOLD, refused);
    expect(await signed(account)).to.equal('Bearer token-2');
    expect(grants()).to.deep.equal(['authorization_code', 'refresh_token']);
    await settled();
  });

  it('signs in again when the refresh token is refused, as the client that it was', async () => {
    const { account, settled } = accountAt(
      await open({ answers: { '/token': countingTokens(3600, refuse) } }),
    );
    await account.answer(TOLD);
    await account.answer(TOLD, { authorization: 'Bearer token-1' });
    expect(await signed(account)).to.equal('Bearer token-2');
    expect(grants()).to.deep.equal(['authorization_code', 'refresh_token', 'authorization_code']);
    expect(server.bodies('/register')).to.have.length(1);
    await settled();
  });

  it('keeps its sign-in while the authorization server is down', async () => {
    const cut = (response: ServerResponse): void => void response.destroy();
    const { account, settled } = accountAt(await open({ answers: { '/token': countingTokens(3600, cut) } }));
    await account.answer(TOLD);
    const error = await account
      .answer(TOLD, { authorization: 'Bearer token-1' })
      .catch((thrown: unknown) => thrown);
    expect(error).to.include({ code: 'MCPC_CONNECT', delivered: 'no' });
    expect(await signed(account)).to.equal('Bearer token-1');
    expect(server.queries('/authorize')).to.have.length(1);
    await settled();
  });

  for (const status of [429, 500, 503]) {
    it(`keeps its sign-in when the authorization server answers ${status}`, async () => {
      const busy: Answer = (response) => json(response, { error: 'server_error' }, status);
      const { account, settled } = accountAt(
        await open({ answers: { '/token': countingTokens(3600, busy) } }),
      );
      await account.answer(TOLD);
      const refused = { authorization: 'Bearer token-1' };
      const error = await account.answer(TOLD, refused).catch((thrown: unknown) => thrown);
      expect(error).to.include({ code: 'MCPC_CONNECT' });
      expect(await signed(account)).to.equal('Bearer token-1');
      await settled();
    });
  }

  it('asks for more rights than the user named, when a server wants them', async () => {
    await open({ answers: { '/token': countingTokens(3600) } });
    const { account, settled } = accountAt(server, { config: { scopes: ['mine'] } });
    await account.answer(TOLD);
    const more = { status: 403, wwwAuthenticate: 'Bearer error="insufficient_scope", scope="write"' };
    await account.answer(more, { authorization: 'Bearer token-1' });
    expect(server.queries('/authorize').map((query) => query.get('scope'))).to.deep.equal([
      'mine',
      'mine write',
    ]);
    await settled();
  });

  it('asks for more rights beside those it has, and gives up when that changes nothing', async () => {
    const { account, settled } = accountAt(await open({ answers: { '/token': countingTokens(3600) } }));
    await account.answer({ status: 401, wwwAuthenticate: 'Bearer scope="read"' });
    const more = { status: 403, wwwAuthenticate: 'Bearer error="insufficient_scope", scope="write"' };
    await account.answer(more, { authorization: 'Bearer token-1' });
    expect(server.queries('/authorize').map((query) => query.get('scope'))).to.deep.equal([
      'read',
      'read write',
    ]);
    const error = await account
      .answer(more, { authorization: 'Bearer token-2' })
      .catch((thrown: unknown) => thrown);
    expect(error).to.include({ code: 'MCPC_UNAUTHORIZED' });
    expect(server.queries('/authorize')).to.have.length(2);
    await settled();
  });

  it('does not ask the user about a refusal that no sign-in can mend', async () => {
    const { account } = accountAt(await open());
    const error = await account
      .answer({ status: 403, wwwAuthenticate: 'Bearer' })
      .catch((thrown: unknown) => thrown);
    expect(error).to.include({ code: 'MCPC_UNAUTHORIZED' });
    expect(server.queries('/authorize')).to.have.length(0);
  });

  it('registers once more when the server has forgotten the client', async () => {
    const forget: Answer = (response, _, body) =>
      body.get('client_id') === 'us' && server.forms('/token').length === 2
        ? json(response, { error: 'invalid_client' }, 401)
        : json(response, { access_token: `token-${server.forms('/token').length}`, token_type: 'Bearer' });
    const { account, settled } = accountAt(await open({ answers: { '/token': forget } }));
    await account.answer(TOLD);
    await account.answer(TOLD, { authorization: 'Bearer token-1' });
    expect(await signed(account)).to.equal('Bearer token-3');
    expect(server.bodies('/register')).to.have.length(2);
    await settled();
  });

  it('leaves the user in peace after a refusal', async () => {
    const { account, settled } = accountAt(
      await open({ response: { code: undefined, error: 'access_denied' } }),
    );
    for (let time = 0; time < 3; time++) {
      const error = await account.answer(TOLD).catch((thrown: unknown) => thrown);
      expect(error).to.include({ code: 'MCPC_SIGN_IN', error: 'access_denied' });
    }
    expect(server.queries('/authorize')).to.have.length(1);
    await settled();
  });

  it('opens no tab after tab for a server that refuses every token', async () => {
    const { account, settled } = accountAt(await open());
    const answers: unknown[] = [];
    for (let time = 0; time < 5; time++)
      answers.push(await account.answer(TOLD).catch((thrown: unknown) => thrown));
    expect(answers.slice(0, 3)).to.deep.equal([undefined, undefined, undefined]);
    expect(answers[4]).to.include({ code: 'MCPC_SIGN_IN' });
    expect(server.queries('/authorize')).to.have.length(3);
    await settled();
  });

  it('shares a sign-in with all that share its store', async () => {
    await open({ answers: { '/token': countingTokens(3600) } });
    const store = new FileStore({ log: quiet, folder });
    const all = [1, 2, 3].map(() => accountAt(server, { store }));
    await Promise.all(all.map(({ account }) => account.answer(TOLD)));
    for (const { account } of all) expect(await signed(account)).to.equal('Bearer token-1');
    expect(server.queries('/authorize')).to.have.length(1);
    await Promise.all(all.map(({ settled }) => settled()));
  });

  it('starts from what is stored and asks nobody', async () => {
    await open({ answers: { '/token': countingTokens(3600) } });
    const store = new FileStore({ log: quiet });
    const first = accountAt(server, { store });
    await first.account.answer(TOLD);
    await first.settled();
    const before = server.paths.length;
    expect(await signed(accountAt(server, { store }).account)).to.equal('Bearer token-1');
    expect(server.paths.length).to.equal(before);
  });

  it('does not use a sign-in for another server or another client', async () => {
    await open({ answers: { '/token': countingTokens(3600) } });
    const store = new FileStore({ log: quiet });
    const first = accountAt(server, { store });
    await first.account.answer(TOLD);
    await first.settled();
    expect(await signed(accountAt(server, { store, endpoint: `${server.origin}/other` }).account)).to.equal(
      undefined,
    );
    expect(await signed(accountAt(server, { store, config: { clientId: 'me' } }).account)).to.equal(
      undefined,
    );
    expect(await signed(accountAt(server, { store, config: { profile: 'work' } }).account)).to.equal(
      undefined,
    );
    expect(await signed(accountAt(server, { store, config: { scopes: ['more'] } }).account)).to.equal(
      undefined,
    );
  });

  it('shows a client that the user registered to no other authorization server than before', async () => {
    await open({ answers: { '/token': countingTokens(3600) } });
    const other = new ScriptedServer(() => ({
      resource: { authorization_servers: [server.origin], resource: `${other.origin}/mcp` },
    }));
    await other.open();
    try {
      const store = new FileStore({ log: quiet });
      const config = { clientId: 'me', clientSecret: 'hunter-2-secret' };
      const first = accountAt(other, { store, config });
      await first.account.answer(TOLD);
      await first.settled();
      const { tokens: _, ...signedIn } = (await store.list())[0]!;
      await store.write({ ...signedIn, key: { ...signedIn.key, issuer: 'https://where-it-was-before' } });
      await store.remove(signedIn.key);
      const asked = server.forms('/token').length;
      const { account } = accountAt(other, { store, config });
      const error = await account.answer(TOLD).catch((thrown: unknown) => thrown);
      expect(error).to.include({ code: 'MCPC_AUTH_SERVER' });
      expect(server.forms('/token')).to.have.length(asked);
    } finally {
      await other.close();
    }
  });

  it('never logs a secret', async () => {
    let lines = '';
    const config = { clientId: 'me', clientSecret: 'hunter-2-secret' };
    await open({ answers: { '/token': countingTokens(0) } });
    const { account, settled } = accountAt(server, { config, onlog: ({ text }) => (lines += `${text}\n`) });
    await account.answer(TOLD);
    await signed(account);
    await settled();
    expect(lines).to.include('refresh_token').and.include('sign in at');
    const verifiers = server.forms('/token').map((form) => form.get('code_verifier'));
    for (const secret of ['hunter-2', 'token-1', 'token-2', 'first-refresh', 'the-code', ...verifiers]) {
      if (secret !== null) expect(lines).not.to.include(secret);
    }
  });

  it('ends a sign-in under way when it is closed', async () => {
    await open({ answers: { '/authorize': () => undefined } });
    const { account } = accountAt(server, {
      onlog: ({ text }) => text.includes('sign in at') && void account.close(),
    });
    const error = await account.answer(TOLD).catch((thrown: unknown) => thrown);
    expect(error).to.include({ code: 'MCPC_SHUTDOWN' });
  });
});
