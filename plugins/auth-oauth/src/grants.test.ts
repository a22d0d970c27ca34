import { generateKeyPairSync } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Credentials } from '@mcp-connect/core';
import { expect } from 'chai';
import { calculateJwkThumbprint, decodeJwt, EmbeddedJWK, importSPKI, jwtVerify } from 'jose';
import type { Config } from './config.js';
import { accountAt, json, ScriptedServer, signed, type Answer, type Script } from './scripted.test.js';

const TOLD = { status: 401, wwwAuthenticate: 'Bearer scope="read"' };

/** Answers one after the other; the last one for ever. */
function inTurn(...answers: readonly [status: number, body: object][]): Answer {
  let count = 0;
  return (response) => {
    const [status, body] = answers[Math.min(count++, answers.length - 1)]!;
    return json(response, body, status);
  };
}

const TOKEN = [200, { access_token: 'the-token', token_type: 'Bearer' }] as [number, object];
const PENDING = [400, { error: 'authorization_pending' }] as [number, object];

describe('A sign-in', () => {
  let server: ScriptedServer;
  let folder: string;
  beforeEach(() => (folder = mkdtempSync(join(tmpdir(), 'mcp-connect-'))));
  afterEach(async () => {
    rmSync(folder, { recursive: true });
    await server.close();
  });

  const open = async (script: (origin: string) => Script = () => ({})): Promise<void> => {
    server = new ScriptedServer(({ origin }) => script(origin));
    await server.open();
  };
  const attempt = async (config: Partial<Config>): Promise<unknown> => {
    const { account } = accountAt(server, { config });
    try {
      await account.answer(TOLD);
      return await signed(account);
    } catch (error) {
      return error;
    }
  };
  const file = (text: string): string => {
    const path = join(folder, 'file');
    writeFileSync(path, text);
    return path;
  };

  describe('by device code', () => {
    const offering = (origin: string, token: Answer, device: object = {}): Script => ({
      server: { device_authorization_endpoint: `${origin}/device` },
      answers: {
        '/device': (response) =>
          json(response, {
            device_code: 'the-device',
            user_code: 'ABCD-EFGH',
            verification_uri: `${origin}/type-it`,
            interval: 0.01,
            ...device,
          }),
        '/token': token,
      },
    });

    it('shows the code and asks until the user has typed it', async () => {
      let lines = '';
      await open((origin) => offering(origin, inTurn(PENDING, PENDING, TOKEN)));
      const { account } = accountAt(server, {
        config: { grant: 'device-code' },
        onlog: ({ text }) => (lines += text),
      });
      await account.answer(TOLD);
      expect(await signed(account)).to.equal('Bearer the-token');
      expect(lines)
        .to.include('ABCD-EFGH')
        .and.include(`${server.origin}/type-it`)
        .and.not.include('the-device');
      const forms = server.forms('/token');
      expect(forms).to.have.length(3);
      expect(Object.fromEntries(forms[0]!)).to.deep.include({
        grant_type: 'urn:ietf:params:oauth:grant-type:device_code',
        device_code: 'the-device',
        client_id: 'us',
      });
      const [asked] = server.forms('/device');
      expect(Object.fromEntries(asked!)).to.deep.equal({
        client_id: 'us',
        scope: 'read',
        resource: `${server.origin}/mcp`,
      });
    });

    for (const error of ['access_denied', 'expired_token']) {
      it(`ends with ${error}`, async () => {
        await open((origin) => offering(origin, inTurn(PENDING, [400, { error }])));
        expect(await attempt({ grant: 'device-code' })).to.include({ code: 'MCPC_SIGN_IN', error });
      });
    }

    it('ends when the code does, though the server never says so', async () => {
      await open((origin) => offering(origin, inTurn(PENDING), { expires_in: 0 }));
      expect(await attempt({ grant: 'device-code' })).to.include({ code: 'MCPC_SIGN_IN' });
    });

    it('refuses pages that are none', async () => {
      await open((origin) => offering(origin, inTurn(TOKEN), { verification_uri: 'javascript:alert(1)' }));
      expect(await attempt({ grant: 'device-code' })).to.include({ code: 'MCPC_AUTH_SERVER' });
    });

    it('names what to do where it is not offered', async () => {
      await open();
      expect(await attempt({ grant: 'device-code' })).to.include({ code: 'MCPC_SIGN_IN' });
    });
  });

  describe('without a person', () => {
    it('shows a secret, its id and secret encoded as RFC 6749 says', async () => {
      await open();
      const config = { grant: 'client-credentials', clientId: 'a b:c', clientSecret: 's%/+' } as const;
      expect(await attempt(config)).to.equal('Bearer the-token');
      const [form] = server.forms('/token');
      expect(Object.fromEntries(form!)).to.deep.equal({
        grant_type: 'client_credentials',
        scope: 'read',
        resource: `${server.origin}/mcp`,
      });
      expect(server.sent).to.include(Buffer.from('a+b%3Ac:s%25%2F%2B').toString('base64'));
      expect(server.bodies('/register')).to.have.length(0);
    });

    it('shows a secret in the form where the server wants it there', async () => {
      await open(() => ({ server: { token_endpoint_auth_methods_supported: ['client_secret_post'] } }));
      await attempt({ grant: 'client-credentials', clientId: 'me', clientSecret: 'hunter2' });
      const [form] = server.forms('/token');
      expect(Object.fromEntries(form!)).to.include({ client_id: 'me', client_secret: 'hunter2' });
    });

    for (const [what, pair] of [
      ['EC', () => generateKeyPairSync('ec', { namedCurve: 'P-256' })],
      ['RSA', () => generateKeyPairSync('rsa', { modulusLength: 2048 })],
    ] as const) {
      it(`signs who it is with a key of the kind ${what}`, async () => {
        await open();
        const { privateKey, publicKey } = pair();
        const privateKeyFile = file(privateKey.export({ type: 'pkcs8', format: 'pem' }).toString());
        const config = { grant: 'client-credentials', clientId: 'me', privateKeyFile } as const;
        expect(await attempt(config)).to.equal('Bearer the-token');
        const [form] = server.forms('/token');
        expect(form!.get('client_assertion_type')).to.equal(
          'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
        );
        const spki = publicKey.export({ type: 'spki', format: 'pem' }).toString();
        const key = await importSPKI(spki, what === 'EC' ? 'ES256' : 'RS256');
        const { payload } = await jwtVerify(form!.get('client_assertion')!, key, { audience: server.origin });
        expect(payload).to.include({ iss: 'me', sub: 'me' });
        expect(payload).to.have.property('jti');
      });
    }

    it('says when a key cannot be used, and shows nothing of it', async () => {
      await open();
      const privateKeyFile = file('hunter2');
      const error = await attempt({ grant: 'client-credentials', clientId: 'me', privateKeyFile });
      expect(error).to.include({ code: 'MCPC_SIGN_IN' });
      expect(String(error)).to.include(privateKeyFile).and.not.include('hunter2');
    });

    it('shows the assertion of a workload, from a file or a command, and needs no client', async () => {
      await open();
      const assertionFile = file('the-assertion\n');
      const commands: Partial<Config>[] = [
        { assertionFile },
        { assertionCommand: `${process.execPath} -p "'the-assertion'"` },
      ];
      for (const source of commands) {
        expect(await attempt({ grant: 'workload-identity', ...source })).to.equal('Bearer the-token');
      }
      expect(server.forms('/token').map((form) => Object.fromEntries(form))).to.deep.equal(
        commands.map(() => ({
          grant_type: 'urn:ietf:params:oauth:grant-type:jwt-bearer',
          assertion: 'the-assertion',
          scope: 'read',
          resource: `${server.origin}/mcp`,
        })),
      );
    });

    for (const source of [
      {},
      { assertionFile: '/no/such/file' },
      { assertionCommand: 'false' },
      { assertionCommand: 'true' },
    ]) {
      it(`says when ${JSON.stringify(source)} gives no assertion`, async () => {
        await open();
        expect(await attempt({ grant: 'workload-identity', ...source })).to.include({ code: 'MCPC_SIGN_IN' });
        expect(server.forms('/token')).to.have.length(0);
      });
    }

    it('exchanges the identity token of an enterprise for an assertion, and that for a token', async () => {
      await open((origin) => ({
        answers: {
          '/.well-known/openid-configuration/idp': (response) =>
            json(response, { issuer: `${origin}/idp`, token_endpoint: `${origin}/idp/token` }),
          '/idp/token': (response) =>
            json(response, {
              access_token: 'the-id-jag',
              issued_token_type: 'urn:ietf:params:oauth:token-type:id-jag',
              token_type: 'N_A',
            }),
        },
      }));
      const idp = { issuer: `${server.origin}/idp`, clientId: 'there' };
      const assertionFile = file('the-id-token');
      const config = {
        grant: 'enterprise',
        clientId: 'here',
        clientSecret: 'hunter2',
        idp,
        assertionFile,
      } as const;
      expect(await attempt(config)).to.equal('Bearer the-token');
      expect(Object.fromEntries(server.forms('/idp/token')[0]!)).to.deep.equal({
        client_id: 'there',
        grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange',
        requested_token_type: 'urn:ietf:params:oauth:token-type:id-jag',
        subject_token: 'the-id-token',
        subject_token_type: 'urn:ietf:params:oauth:token-type:id_token',
        audience: server.origin,
        resource: `${server.origin}/mcp`,
        scope: 'read',
      });
      expect(Object.fromEntries(server.forms('/token')[0]!)).to.deep.equal({
        grant_type: 'urn:ietf:params:oauth:grant-type:jwt-bearer',
        assertion: 'the-id-jag',
        resource: `${server.origin}/mcp`,
        scope: 'read',
      });
    });

    it('says when the identity provider gives something else', async () => {
      await open(() => ({
        answers: { '/idp/token': (response) => json(response, { access_token: 'what' }) },
      }));
      const idp = { tokenUrl: `${server.origin}/idp/token` };
      const config = {
        grant: 'enterprise',
        clientId: 'here',
        idp,
        assertionFile: file('the-id-token'),
      } as const;
      expect(await attempt(config)).to.include({ code: 'MCPC_AUTH_SERVER' });
      expect(server.forms('/token')).to.have.length(0);
    });
  });

  describe('with tokens bound to a key', () => {
    const BOUND = [
      200,
      { access_token: 'bound', token_type: 'DPoP', refresh_token: 'again', expires_in: 0 },
    ] as [number, object];

    /** Checks a proof as a server does (RFC 9449 section 4.3). Returns its claims and the thumbprint of its key. */
    async function proofIn(proof: string) {
      const { payload, protectedHeader } = await jwtVerify(proof, EmbeddedJWK, { typ: 'dpop+jwt' });
      expect(protectedHeader.jwk).not.to.have.property('d');
      return { ...payload, thumbprint: await calculateJwkThumbprint(protectedHeader.jwk!) };
    }

    it('proves in every request that it holds the key, with the nonces that servers ask for', async () => {
      const token: Answer = (response, url, body) => {
        const { nonce } = decodeJwt(server.headers('/token').at(-1)!['dpop'] as string);
        if (nonce === 'as-nonce') return inTurn(BOUND)(response, url, body);
        response.setHeader('dpop-nonce', 'as-nonce');
        return json(response, { error: 'use_dpop_nonce' }, 400);
      };
      await open(() => ({ answers: { '/token': token } }));
      const { account, settled } = accountAt(server, { config: { dpop: true } });
      await account.answer(TOLD);
      await settled();
      const bound = server.queries('/authorize')[0]!.get('dpop_jkt');
      for (const headers of server.headers('/token')) {
        const proof = await proofIn(headers['dpop'] as string);
        expect(proof).to.include({ htm: 'POST', htu: `${server.origin}/token`, thumbprint: bound });
      }

      await account.answer({
        status: 401,
        wwwAuthenticate: 'DPoP error="use_dpop_nonce"',
        nonce: 'rs-nonce',
      });
      const credentials: Credentials = { headers: {} };
      await account.sign(credentials);
      expect(credentials.headers).to.deep.equal({ authorization: 'DPoP bound' });
      const request = { method: 'GET', url: new URL(`${server.origin}/mcp?x=1`), headers: {} };
      const [first, second] = [credentials.prove!(request), credentials.prove!(request)];
      const proof = await proofIn(first['dpop']!);
      expect(proof).to.include({
        htm: 'GET',
        htu: `${server.origin}/mcp`,
        nonce: 'rs-nonce',
        thumbprint: bound,
      });
      expect(proof).to.have.property('ath');
      expect((await proofIn(second['dpop']!)).jti).not.to.equal(proof.jti);
    });

    it('takes a plain token where the server binds none', async () => {
      await open();
      const { account, settled } = accountAt(server, { config: { dpop: true } });
      await account.answer(TOLD);
      await settled();
      const credentials: Credentials = { headers: {} };
      await account.sign(credentials);
      expect(credentials).to.deep.equal({ headers: { authorization: 'Bearer the-token' } });
    });
  });
});
