import { chmod, mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createLog, type Log } from '@mcp-connect/core';
import { expect } from 'chai';
import type { Keychain } from './keychain.js';
import type { SignIn } from './model.js';
import { FileStore } from './store.js';

const RESOURCE = 'https://mcp.example/mcp';

function signIn(issuer = 'https://one.example', more: Partial<SignIn> = {}): SignIn {
  return {
    key: { issuer, resource: RESOURCE, profile: 'default' },
    grant: 'authorization-code',
    client: { id: 'client', secret: 'client-secret', authMethod: 'none', origin: 'registered' },
    tokens: { accessToken: 'access-token', tokenType: 'Bearer', refreshToken: 'refresh-token' },
    scopes: ['read'],
    server: {
      issuer,
      source: 'metadata',
      tokenEndpoint: `${issuer}/token`,
      namesItself: false,
      takesMetadataDocuments: false,
    },
    savedAt: 1,
    ...more,
  };
}

describe('FileStore', () => {
  let parent: string;
  let folder: string;
  let lines: string[];
  let log: Log;
  let store: FileStore;
  const noKeychain = async (): Promise<undefined> => undefined;

  beforeEach(async () => {
    parent = await mkdtemp(join(tmpdir(), 'mcpc-store-'));
    folder = join(parent, 'oauth');
    lines = [];
    log = createLog({ level: 'trace', write: ({ text }) => void lines.push(text) });
    store = new FileStore({ folder, log, openKeychain: noKeychain });
  });
  afterEach(async () => {
    await chmod(parent, 0o700);
    await rm(parent, { recursive: true });
  });

  async function files(): Promise<string[]> {
    return (await readdir(folder)).map((name) => join(folder, name));
  }

  it('finds what was written in another run, the latest first, and nothing of others', async () => {
    const first = signIn('https://one.example');
    const second = signIn('https://two.example', { savedAt: 2 });
    const other = signIn('https://one.example', { key: { ...first.key, profile: 'work' } });
    for (const each of [first, second, other]) await store.write(each);
    const later = new FileStore({ folder, log, openKeychain: noKeychain });
    expect(await later.find(RESOURCE, 'default')).to.deep.equal([second, first]);
    expect(await later.find(RESOURCE, 'work')).to.deep.equal([other]);
    expect(await later.find('https://mcp.example/else', 'default')).to.deep.equal([]);
    expect(await later.list()).to.have.length(3);
  });

  it('replaces the sign-in of the same key, and removes no other', async () => {
    const newer = signIn('https://one.example', { savedAt: 3 });
    const other = signIn('https://two.example');
    for (const each of [signIn(), other, newer]) await store.write(each);
    expect(await store.list()).to.deep.equal([newer, other]);
    await store.remove(newer.key);
    expect(await store.list()).to.deep.equal([other]);
  });

  it('has never been used without complaint', async () => {
    expect(await store.list()).to.deep.equal([]);
    await store.remove(signIn().key);
    expect(lines).to.deep.equal([]);
  });

  it('writes files that only their user can read, under names that tell nothing', async () => {
    await store.write(signIn());
    expect((await stat(folder)).mode & 0o777).to.equal(0o700);
    for (const path of await files()) {
      expect((await stat(path)).mode & 0o777).to.equal(0o600);
      expect(path).not.to.match(/example|default/);
    }
  });

  it('hides every secret from the log', async () => {
    await store.write(signIn());
    const later = new FileStore({ folder, log: log.child('later'), openKeychain: noKeychain });
    await later.list();
    expect(log.redact('access-token refresh-token client-secret')).to.equal('[hidden] [hidden] [hidden]');
  });

  for (const [what, text] of [
    ['half a file', '{"version":1,"content":{"key"'],
    ['something else', '[1]'],
    ['a sign-in without its parts', '{"version":1,"content":{"key":{}}}'],
  ] as const) {
    it(`moves ${what} aside, says so and loses nothing`, async () => {
      await store.write(signIn());
      const [path = ''] = await files();
      await writeFile(path, text);
      expect(await store.find(RESOURCE, 'default')).to.deep.equal([]);
      const [moved = ''] = await files();
      expect(moved).to.match(/\.corrupt$/);
      expect(await readFile(moved, 'utf8')).to.equal(text);
      expect(lines.join()).to.contain(moved);
      await store.write(signIn());
      expect(await store.list()).to.deep.equal([signIn()]);
    });
  }

  it('leaves the file of a newer version where it is', async () => {
    await store.write(signIn());
    const [path = ''] = await files();
    await writeFile(path, '{"version":9}');
    expect(await store.list()).to.deep.equal([]);
    expect(await files()).to.deep.equal([path]);
  });

  it('trusts no file under the name of another sign-in', async () => {
    await store.write(signIn());
    const [path = ''] = await files();
    const stray = signIn('https://stray.example');
    await writeFile(path, JSON.stringify({ version: 1, content: stray }));
    expect(await store.find(RESOURCE, 'default')).to.deep.equal([]);
  });

  describe('in a folder that cannot be made', () => {
    beforeEach(() => writeFile(folder, 'a file'));

    it('keeps sign-ins for this run and names the folder once', async () => {
      await store.write(signIn());
      await store.write(signIn('https://two.example'));
      expect(await store.find(RESOURCE, 'default')).to.have.length(2);
      expect(store.problem).to.include({ code: 'MCPC_SIGN_IN' });
      expect(store.problem?.message).to.contain(folder);
      expect(lines.filter((line) => line.includes('MCP_CONNECT_STATE_DIR'))).to.have.length(1);
      await store.remove(signIn('https://two.example').key).catch(() => undefined);
      expect(await store.list()).to.deep.equal([signIn()]);
    });

    it('locks for this process alone', async () => {
      expect(await store.lock('x', async () => 1)).to.equal(1);
      const failure = new Error('no');
      const failed = await store.lock('x', () => Promise.reject(failure)).catch((error: unknown) => error);
      expect(failed).to.equal(failure);
    });
  });

  it('forgets everything when it has no folder', async () => {
    const brief = new FileStore({ log });
    await brief.write(signIn());
    expect(await brief.list()).to.deep.equal([signIn()]);
    expect(await brief.lock('x', async () => 1)).to.equal(1);
    await brief.remove(signIn().key);
    expect(await brief.list()).to.deep.equal([]);
  });

  describe('with a keychain', () => {
    let secrets: Map<string, string>;
    let locked: boolean;
    const keychain: Keychain = {
      read: (name) => {
        if (locked) throw new Error('it is locked');
        return secrets.get(name);
      },
      write: (name, secret) => {
        if (locked) throw new Error('it is locked');
        secrets.set(name, secret);
      },
    };
    const open = (): FileStore => new FileStore({ folder, log, openKeychain: async () => keychain });

    beforeEach(() => {
      secrets = new Map();
      locked = false;
    });

    it('seals what it writes, so that the files alone tell nothing', async () => {
      await open().write(signIn());
      for (const path of await files()) expect(await readFile(path, 'utf8')).not.to.match(/token|example/);
      expect(await open().list()).to.deep.equal([signIn()]);
    });

    it('makes one key, however many begin at once', async () => {
      const issuers = ['https://a.example', 'https://b.example', 'https://c.example'];
      await Promise.all(issuers.map((issuer) => open().write(signIn(issuer))));
      expect(await open().list()).to.have.length(3);
    });

    it('leaves sealed files alone while the keychain is locked, and writes plain ones', async () => {
      await open().write(signIn());
      locked = true;
      expect(await open().list()).to.deep.equal([]);
      await open().write(signIn('https://two.example'));
      expect(await open().list()).to.have.length(1);
      locked = false;
      expect(await open().list()).to.have.length(2);
    });

    it('moves aside what another key has sealed', async () => {
      await open().write(signIn());
      secrets.clear();
      await open().write(signIn('https://two.example'));
      expect(await open().list()).to.have.length(1);
      expect((await files()).some((name) => name.endsWith('.corrupt'))).to.equal(true);
    });
  });

  it('shares a visit to a sign-in page, hides what is secret of it, and forgets it', async () => {
    const visit = {
      purpose: 'this',
      client: signIn().client,
      page: 'https://as.example/authorize',
      redirectUri: 'http://127.0.0.1:1/callback',
      state: 'state',
      verifier: 'a-verifier',
      begunAt: 1,
      shownAt: 2,
    };
    expect(await store.readVisit('x')).to.equal(undefined);
    await store.writeVisit('x', visit);
    const other = new FileStore({ folder, log, openKeychain: noKeychain });
    expect(await other.readVisit('x')).to.deep.equal(visit);
    expect(await other.readVisit('y')).to.equal(undefined);
    expect(log.redact('a-verifier')).to.equal('[hidden]');
    expect(await store.list()).to.deep.equal([]);
    await other.writeVisit('x', undefined);
    expect(await store.readVisit('x')).to.equal(undefined);
  });

  it('reads on when a folder in its place is not readable', async () => {
    await mkdir(folder);
    await mkdir(join(folder, `${'0'.repeat(32)}-${'0'.repeat(32)}.json`));
    await store.write(signIn());
    expect(await store.list()).to.deep.equal([signIn()]);
  });
});
