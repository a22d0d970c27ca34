import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { expect } from 'chai';
import { ConnectorError, definePlugin, type Flags } from '@mcp-connect/core';
import { fileFlags } from '../flags/file-flags.js';
import type { PluginInUse } from '../plugins/in-use.js';
import { ConfigFile, type Presets } from './config-file.js';
import { configSchema } from './schema.js';

const FILTER: PluginInUse = {
  plugin: definePlugin({
    name: 'filter',
    flags: {
      'tools-deny': { type: 'string', multiple: true, summary: '' },
      'filter-key': { type: 'string', secret: true, summary: '' },
    },
    apply: () => undefined,
  }),
  origin: 'named',
  inFile: 0,
  find: () => undefined,
};

describe('a configuration file', () => {
  let folder: string;
  let flags: Flags;

  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'mcp-connect-'));
    flags = await fileFlags();
  });

  after(() => rmSync(folder, { recursive: true }));

  function presets(
    content: string | Buffer,
    { name = 'c.yaml', server, mode = 0o600 }: { name?: string; server?: string; mode?: number } = {},
  ): Presets {
    const path = join(folder, name);
    writeFileSync(path, content);
    chmodSync(path, mode);
    const file = ConfigFile.read(path, { flags, env: { WHERE: 'there' } });
    return file.presets({ server, plugins: file.plugins.length > 0 ? [FILTER] : [] });
  }

  it('gives what the flags would have said, in each form that fits', () => {
    const { values } = presets(`
      endpoint: https://example.com/mcp
      endpoints: [http://one/mcp, "tcp://two:1"]
      fallbacks: stdio,tcp
      timeout: 7
      debug: true
      headers: { X-Tenant: blue, Authorization: "Bearer \${TOKEN}" }
      stdio-env: { A: "1", B: b=c }
      oauth-authorize-param: [p=1, q=2]
      no-proxy: [a.example, b.example]
    `);
    expect(values).to.deep.equal({
      endpoint: 'https://example.com/mcp',
      endpoints: 'http://one/mcp,tcp://two:1',
      fallbacks: 'stdio,tcp',
      timeout: 7,
      debug: true,
      headers: ['X-Tenant: blue', 'Authorization: Bearer ${TOKEN}'],
      'stdio-env': ['A=1', 'B=b=c'],
      'oauth-authorize-param': ['p=1', 'q=2'],
      'no-proxy': 'a.example,b.example',
    });
  });

  it('has paths count from its folder, with variables and ~ in them', () => {
    const { values } = presets(
      '{ "ca": "./ca.pem", "cert": "/c.pem", "key": "${WHERE}/k", "log-file": "~/l", /* unset */ "stdio-cwd": "${NONE}/x" , }',
      { name: 'c.json' },
    );
    expect(values).to.deep.equal({
      ca: join(folder, 'ca.pem'),
      cert: '/c.pem',
      key: join(folder, 'there/k'),
      'log-file': join(homedir(), 'l'),
      'stdio-cwd': '${NONE}/x',
    });
  });

  it('may begin with a byte order mark and have lines of Windows', () => {
    expect(presets('\uFEFFtimeout: 7\r\ndebug: true\r\n').values).to.deep.equal({ timeout: 7, debug: true });
    expect(presets('\uFEFF{"timeout": 7\r\n}', { name: 'c.json' }).values).to.deep.equal({ timeout: 7 });
  });

  it('describes servers, which win over what holds for all', () => {
    const text = 'timeout: 7\npool: 2\nservers: { a: { timeout: 8 }, b: { endpoint: x } }';
    expect(presets(text, { server: 'a' }).values).to.deep.equal({ timeout: 8, pool: 2 });
    expect(presets(text).values).to.deep.equal({ timeout: 7, pool: 2 });
    expect(() => presets(text, { server: 'aa' }))
      .to.throw(ConnectorError)
      .with.property('hint')
      .that.includes('a');
  });

  it('hands plugins their options', () => {
    const { values } = presets('plugins: [{ name: filter, options: { tools-deny: ["write_*"] } }]');
    expect(values).to.deep.equal({ 'tools-deny': ['write_*'] });
  });

  it('is warned of when others can read its secrets or write it, and only then', () => {
    if (process.platform === 'win32') return;
    const secret = 'headers: { Authorization: Bearer sesame }\nservers: { a: { api-key: sesame } }';
    const inPlugin = 'plugins: [{ name: filter, options: { filter-key: sesame } }]';
    const inAddress = 'endpoint: https://example.com/mcp?api_key=sesame';
    for (const text of [secret, inPlugin, inAddress]) {
      expect(presets(text, { mode: 0o600 }).warnings).to.deep.equal([]);
      const { warnings } = presets(text, { mode: 0o644 });
      expect(warnings).to.have.length(1);
      expect(warnings[0]).to.match(/headers, servers\.a\.api-key|plugins\[0\]\.options\.filter-key|endpoint/);
      expect(warnings[0]).not.to.include('sesame');
    }
    const named = 'headers: { Authorization: "Bearer ${T}", X-Tenant: blue }\napi-key: ${K}';
    expect(presets(named, { mode: 0o644 }).warnings).to.deep.equal([]);
    expect(presets('timeout: 1', { mode: 0o666 }).warnings).to.have.length(1);
  });

  const bomb = ['a: &a [x, x, x, x, x, x, x, x, x]'];
  for (let at = 0; at < 9; at++)
    bomb.push(`${'bcdefghij'[at]}: &${'bcdefghij'[at]} [${Array(9).fill(`*${'abcdefghi'[at]}`).join()}]`);

  const cases: [what: string, text: string | Buffer, place: string, names: string, name?: string][] = [
    ['an unknown key', 'timeout: 1\nendpont: x', '2:1', 'endpoint'],
    ['an unknown key of a server', 'servers:\n  a:\n    tmeout: 1', '3:5', 'timeout'],
    ['a short name of auth-proxy', 'client-id: x', '1:1', 'oauth-client-id'],
    ['a key that is no flag of the file', 'plugin: x', '1:1', 'plugins'],
    ['a member of every object', '__proto__: { timeout: 1 }', '1:1', '__proto__'],
    ['the same in JSON', '{\n "__proto__": {"timeout": 1} }', '2:2', '__proto__', 'c.json'],
    ['a wrong kind', 'timeout: soon', '1:10', 'timeout'],
    ['a header that is no text', 'headers:\n  X-One: 1', '2:10', 'headers.X-One'],
    ['a number out of range', 'pool: 0', '1:7', 'pool'],
    ['a wrong option', '{"log-level":\n"loud"}', '2:1', 'debug', 'c.json'],
    ['a key without a value', 'endpoint:\ntimeout: 1', '1:10', 'endpoint'],
    [
      'an unknown option of a plugin',
      'plugins:\n  - name: filter\n    options: { tool-deny: x }',
      '3:16',
      'tools-deny',
    ],
    [
      'an option of the wrong kind',
      'plugins: [{ name: filter, options: { tools-deny: 3 } }]',
      '1:50',
      'tools-deny',
    ],
    ['a plugin without a name', 'plugins:\n  - { options: {} }', '2:5', 'plugins[0]'],
    ['a list with a comma in an item', 'endpoints: ["http://a,b", "http://c"]', '1:12', 'endpoints'],
    ['a header that would begin another one', 'headers: { A: "b, C: d" }', '1:10', 'headers.A'],
    ['no object', '- endpoint', '1:1', 'names with values'],
    ['a duplicate key', 'timeout: 1\ntimeout: 2', '2:1', 'twice'],
    ['a duplicate key in JSON', '{"timeout": 1,\n"timeout": 2}', '2:1', 'twice', 'c.json'],
    ['a duplicate key inside', 'servers:\n  a: { pool: 1,\n    pool: 2 }', '3:5', 'twice'],
    ['broken YAML', 'timeout: 1\n\tpool: 2', '2:1', 'YAML'],
    ['broken JSON', '{"timeout": 1\n "pool": 2}', '2:2', 'comma expected', 'c.json'],
    ['several documents', 'timeout: 1\n---\npool: 2', '2:1', 'YAML'],
    ['a tag', 'timeout: !!js/function x', '1:10', 'YAML'],
    ['aliases that unfold', bomb.join('\n'), '1:1', 'alias'],
    ['an alias without an anchor', 'endpoint: *x', '1:1', 'alias'],
  ];
  for (const [what, text, place, names, name = 'c.yaml'] of cases) {
    it(`with ${what} is refused, with its line and column`, () => {
      expect(() => presets(text, { name }))
        .to.throw(ConnectorError)
        .that.satisfies((error: ConnectorError) => {
          expect(error.code).to.equal('MCPC_USAGE');
          expect(`${error.message} ${error.hint}`).to.include(names);
          expect(error.message).to.include(`${join(folder, name)}:${place}: `);
          return true;
        });
    });
  }

  const whole: [what: string, text: string | Buffer, name?: string][] = [
    ['that is empty', ''],
    ['that holds comments only', '# nothing\n'],
    ['of another encoding', Buffer.from('endpoint: caf\u00e9', 'latin1')],
    ['in UTF-16', Buffer.from('\uFEFFtimeout: 1', 'utf16le')],
    ['whose name says no format', 'timeout: 1', 'c.txt'],
    ['nested as deep as no parser goes', '['.repeat(200_000), 'c.json'],
    ['nested as deep, in YAML', '['.repeat(20_000)],
    ['larger than 256 KiB', `# ${'x'.repeat(256 * 1024)}`],
  ];
  for (const [what, text, name = 'c.yaml'] of whole) {
    it(`${what} is refused`, () => {
      expect(() => presets(text, { name }))
        .to.throw(ConnectorError)
        .with.property('code', 'MCPC_USAGE');
    });
  }

  it('must be there and be no folder', () => {
    mkdirSync(join(folder, 'd.yaml'));
    for (const name of ['d.yaml', 'none.yaml'])
      expect(() => ConfigFile.read(join(folder, name), { flags, env: {} }))
        .to.throw(ConnectorError, name)
        .with.property('code', 'MCPC_USAGE');
  });

  it('never shows its text in an error', () => {
    for (const text of [
      'auth-token: [sesame]',
      'auth-token: "sesame',
      'a: 1\nsesame',
      'auth-token: !sesame x',
      '"a" sesame',
    ])
      expect(() => presets(text))
        .to.throw(ConnectorError)
        .that.satisfies((error: ConnectorError) => !`${error.message}${error.hint}`.includes('sesame'));
  });

  it('has a schema that is one, and that takes every default', () => {
    const ajv = new Ajv2020({ allowUnionTypes: true });
    expect(ajv.validateSchema(configSchema(flags))).to.equal(true);
    const defaults = Object.entries(flags).flatMap(([name, flag]) =>
      'default' in flag ? [[name, flag.default]] : [],
    );
    const validate = ajv.compile(configSchema(flags, [FILTER.plugin]));
    expect(validate(Object.fromEntries(defaults)), JSON.stringify(validate.errors)).to.equal(true);
    expect(validate({ plugins: [{ name: 'filter', options: { 'tools-deny': ['x'] } }, 'other'] })).to.equal(
      true,
    );
    expect(validate({ plugins: [{ name: 'filter', options: { 'tool-deny': ['x'] } }] })).to.equal(false);
  });
});
