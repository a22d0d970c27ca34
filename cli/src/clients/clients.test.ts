import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { parse } from 'jsonc-parser';
import { ConnectorError } from '@mcp-connect/core';
import { MODES } from '../command-line/modes.js';
import { PROXY_FLAGS } from '../flags/serving.js';
import { loadPlugins, mergeFlags } from '../plugins/load.js';
import { pluginPlaces } from '../plugins/resolve.js';
import { clientFile, CLIENTS, type Client, type ClientPlace, type Scope } from './clients.js';
import { putEntry, takeEntry } from './edit.js';
import { entryOf, programFor, type EntryOptions } from './entry.js';
import { masked } from './masked.js';
import { changeSettings } from './store.js';

const LINUX: ClientPlace = { platform: 'linux', env: {}, home: '/home/me', cwd: '/project' };
const MAC: ClientPlace = { platform: 'darwin', env: {}, home: '/Users/me', cwd: '/project' };
const WINDOWS: ClientPlace = {
  platform: 'win32',
  env: { APPDATA: 'C:\\Users\\me\\AppData\\Roaming' },
  home: 'C:\\Users\\me',
  cwd: 'C:\\project',
};

describe('the settings of clients', () => {
  const files: Readonly<
    Record<keyof typeof CLIENTS, readonly [Scope, linux: string, mac: string, windows: string][]>
  > = {
    'claude-desktop': [
      [
        'user',
        '/home/me/.config/Claude/claude_desktop_config.json',
        '/Users/me/Library/Application Support/Claude/claude_desktop_config.json',
        'C:\\Users\\me\\AppData\\Roaming\\Claude\\claude_desktop_config.json',
      ],
    ],
    'claude-code': [
      ['user', '/home/me/.claude.json', '/Users/me/.claude.json', 'C:\\Users\\me\\.claude.json'],
      ['project', '/project/.mcp.json', '/project/.mcp.json', 'C:\\project\\.mcp.json'],
    ],
    cursor: [
      ['user', '/home/me/.cursor/mcp.json', '/Users/me/.cursor/mcp.json', 'C:\\Users\\me\\.cursor\\mcp.json'],
      ['project', '/project/.cursor/mcp.json', '/project/.cursor/mcp.json', 'C:\\project\\.cursor\\mcp.json'],
    ],
    vscode: [
      [
        'user',
        '/home/me/.config/Code/User/mcp.json',
        '/Users/me/Library/Application Support/Code/User/mcp.json',
        'C:\\Users\\me\\AppData\\Roaming\\Code\\User\\mcp.json',
      ],
      ['project', '/project/.vscode/mcp.json', '/project/.vscode/mcp.json', 'C:\\project\\.vscode\\mcp.json'],
    ],
    zed: [
      [
        'user',
        '/home/me/.config/zed/settings.json',
        '/Users/me/.config/zed/settings.json',
        'C:\\Users\\me\\AppData\\Roaming\\Zed\\settings.json',
      ],
      [
        'project',
        '/project/.zed/settings.json',
        '/project/.zed/settings.json',
        'C:\\project\\.zed\\settings.json',
      ],
    ],
    windsurf: [
      [
        'user',
        '/home/me/.codeium/windsurf/mcp_config.json',
        '/Users/me/.codeium/windsurf/mcp_config.json',
        'C:\\Users\\me\\.codeium\\windsurf\\mcp_config.json',
      ],
    ],
    inspector: [
      [
        'project',
        '/project/inspector.config.json',
        '/project/inspector.config.json',
        'C:\\project\\inspector.config.json',
      ],
    ],
  };
  for (const [name, scopes] of Object.entries(files)) {
    it(`of ${name} are where the client looks, on each platform`, () => {
      const client: Client = CLIENTS[name as keyof typeof CLIENTS];
      const found = (['user', 'project'] as const).flatMap((scope) => {
        const paths = [LINUX, MAC, WINDOWS].map((place) => clientFile(client, scope, place));
        return paths[0] === undefined ? [] : [[scope, ...paths]];
      });
      expect(found).to.deep.equal(scopes);
    });
  }

  it('follow XDG_CONFIG_HOME', () => {
    const place = { ...LINUX, env: { XDG_CONFIG_HOME: '/cfg' } };
    expect(clientFile(CLIENTS.vscode, 'user', place)).to.equal('/cfg/Code/User/mcp.json');
    expect(clientFile(CLIENTS.cursor, 'user', place)).to.equal('/home/me/.cursor/mcp.json');
  });
});

describe('an entry', () => {
  let options: EntryOptions;

  before(async () => {
    const plugins = await loadPlugins(MODES.proxy.plugins, pluginPlaces({}));
    options = {
      client: CLIENTS.cursor,
      args: [],
      words: [],
      flags: mergeFlags(PROXY_FLAGS, plugins),
      program: ['/node', '/run.js'],
      cwd: '/project',
      line: ['mcp-connect', 'config', 'cursor'],
    };
  });

  it('has absolute paths, and the words of a command as they are', () => {
    const args = [
      '--ca=ca.pem',
      '--plugin',
      './a.mjs,@acme/b',
      '--debug',
      '--key',
      '${HOME}/k',
      '--retry-delay=0',
    ];
    const { command, args: made } = entryOf({ ...options, args, words: ['./serve', './x', '-y'] });
    expect(command).to.equal('/node');
    expect(made.join(' ')).to.equal(
      '/run.js proxy --ca /project/ca.pem --plugin /project/a.mjs,@acme/b --debug ' +
        '--key ${env:HOME}/k --retry-delay 0 -- /project/serve ./x -y',
    );
  });

  it('names secrets in its environment, as the client writes variables', () => {
    const args = [
      '--endpoint',
      'https://${HOST}/mcp',
      '--headers',
      'Authorization: Bearer ${T}',
      '--headers',
      'X-A: b',
    ];
    const entry = (client: Client): object => entryOf({ ...options, client, args });
    expect(entry(CLIENTS.vscode)).to.deep.include({
      args: ['/run.js', 'proxy', '--endpoint', 'https://${env:HOST}/mcp'],
      env: { MCP_CONNECT_HEADERS: 'Authorization: Bearer ${env:T}, X-A: b' },
    });
    expect(entry(CLIENTS['claude-code'])).to.deep.include({
      args: ['/run.js', 'proxy', '--endpoint', 'https://${HOST}/mcp'],
      env: { MCP_CONNECT_HEADERS: 'Authorization: Bearer ${T}, X-A: b' },
    });
  });

  const secrets: [what: string, args: string[], instead: string][] = [
    ['a token', ['--auth-token', 'sesame'], "--auth-token '${AUTH_TOKEN}'"],
    ['a token with an escaped reference', ['--auth-token', '$${sesame}'], "--auth-token '${AUTH_TOKEN}'"],
    ['a header', ['--headers=Authorization: Bearer sesame'], "--headers 'Authorization: Bearer ${TOKEN}'"],
    ['a second header', ['--headers', 'X-A: b, X-Api-Key: sesame'], '${'],
    ['a variable', ['--stdio-env', 'MY_TOKEN=sesame'], "--stdio-env 'MY_TOKEN=${MY_TOKEN}'"],
    ['a password in an address', ['--endpoint', 'https://me:sesame@example.com/mcp'], '${NAME}'],
    ['a key in an address', ['--fallbacks', 'tcp,https://example.com/mcp?apiKey=sesame'], '${NAME}'],
    ['two secrets', ['--auth-token', 'sesame', '--api-key', 'sesame'], "--auth-token '${AUTH_TOKEN}'"],
  ];
  for (const [what, args, instead] of secrets) {
    it(`holds no secret: ${what} is refused, with what to type instead`, () => {
      expect(() => entryOf({ ...options, args }))
        .to.throw(ConnectorError)
        .that.satisfies((error: ConnectorError) => {
          expect(error.code).to.equal('MCPC_USAGE');
          expect(error.hint).to.include(instead);
          expect(`${error.message}${error.hint}`).not.to.include('sesame');
          return true;
        });
    });
  }

  it('starts what a client with windows finds, what others have too, and what npx has gone with', () => {
    const [node, script] = ['/n/node', '/m/run.js'];
    expect(programFor({ scope: 'user', node, script })).to.deep.equal([node, script]);
    expect(programFor({ scope: 'project', node, script })).to.deep.equal(['mcp-connect']);
    const fetched = '/home/me/.npm/_npx/1a2b/node_modules/mcp-connect/bin/run.js';
    expect(programFor({ scope: 'user', node, script: fetched })).to.deep.equal(['npx', '-y', 'mcp-connect']);
  });
});

describe('an edit', () => {
  const at = { file: 'f', key: 'mcpServers', name: 'a' };
  const put = (text: string, entry: object, force = false): string => putEntry(text, { ...at, entry, force });

  it('keeps comments, order, indents, line ends and the byte order mark', () => {
    const text =
      '\uFEFF{\r\n\t// mine\r\n\t"theme": "dark",\r\n\t"mcpServers": {\r\n\t\t"b": {"x":  1} // b\r\n\t}\r\n}\r\n';
    const added = ', // b\r\n\t\t"a": {\r\n\t\t\t"command": "c"\r\n\t\t}\r\n\t}\r\n}\r\n';
    const after = put(text, { command: 'c' });
    expect(after).to.equal(text.replace(' // b\r\n\t}\r\n}\r\n', added));
    expect(takeEntry(after, at)).to.equal(text);
  });

  const layouts = {
    'a trailing comma': '{\n  "mcpServers": {\n    "b": 1, // b\n  },\n}',
    'no line breaks': '{"theme": 1, "mcpServers": {"b": 1}}',
    'no servers': '{\n    "theme": 1 /* dark */\n}',
    'an empty object': '{}',
    'an empty object of servers': '{\n  "mcpServers": {}\n}',
    'comments alone': '{\n  // none yet\n}\n',
    'an entry behind it': '{"mcpServers": {"a": 1, /* z */ "z": 2}}',
  };
  for (const [what, text] of Object.entries(layouts)) {
    it(`is right in a file with ${what}`, () => {
      const entry = { command: 'c', args: ['x'] };
      const after = put(text, entry, true);
      const read = (json: string): Record<string, Record<string, unknown>> =>
        parse(json, [], { allowTrailingComma: text.includes(',\n}') }) as never;
      const { mcpServers = {}, ...rest } = read(text);
      expect(read(after)).to.deep.equal({ ...rest, mcpServers: { ...mcpServers, a: entry } });
      const { a: _a, ...others } = mcpServers;
      expect(read(takeEntry(after, at))).to.deep.equal({ ...rest, mcpServers: others });
      for (const comment of text.match(/\/\/.*|\/\*.*?\*\//g) ?? []) {
        expect(after).to.include(comment);
        expect(takeEntry(after, at)).to.include(comment);
      }
    });
  }

  it('makes a file of nothing, and leaves one alone that says the same', () => {
    const text = put('  \n', { command: 'c' });
    expect(JSON.parse(text)).to.deep.equal({ mcpServers: { a: { command: 'c' } } });
    expect(put(text, { command: 'c' })).to.equal(text);
  });

  it('replaces another entry of the name only when forced', () => {
    const text = '{"mcpServers": {"a": {"command": "old", "env": {"K": "v"}}}}';
    expect(() => put(text, { command: 'c' }))
      .to.throw(ConnectorError, ' a ')
      .with.property('code', 'MCPC_USAGE');
    expect(JSON.parse(put(text, { command: 'c' }, true))).to.deep.equal({
      mcpServers: { a: { command: 'c' } },
    });
  });

  it('says which entry may be meant when there is none to take out', () => {
    expect(() => takeEntry('{"mcpServers": {"aa": {}}}', at))
      .to.throw(ConnectorError)
      .with.property('hint')
      .that.includes('aa');
    expect(() => takeEntry('', at)).to.throw(ConnectorError);
  });

  const broken: [what: string, text: string, place: string][] = [
    ['is no JSON', '{\n  "mcpServers": {"a" 1}\n}', 'f:2:22'],
    ['is no object', '[]', 'f:1:1'],
    ['has servers that are no object', '{"mcpServers": []}', 'f:1:16'],
    ['has the servers twice', '{"mcpServers": {},\n"mcpServers": {}}', 'f:2:1'],
    ['has the entry twice', '{"mcpServers": {"a": 1,\n"a": 2}}', 'f:2:1'],
  ];
  for (const [what, text, place] of broken) {
    it(`leaves a file alone that ${what}, and says where`, () => {
      expect(() => put(text, {}, true))
        .to.throw(ConnectorError, `${place}: `)
        .with.property('code', 'MCPC_USAGE');
    });
  }

  it('is shown without the secrets of what was there', () => {
    const text =
      '{"mcpServers": {"a": {"args": ["--api-key", "sesame", "--x=1", "TOKEN=sesame"], "env": {"K": "sesame", "R": "${env:R}"}}}}';
    expect(masked(text)).to.include('${env:R}').and.include('--x=1').and.not.include('sesame');
    expect(masked('no json {')).to.equal('no json {');
  });
});

describe('settings', () => {
  let folder: string;

  beforeEach(() => (folder = mkdtempSync(join(tmpdir(), 'mcp-connect-'))));
  afterEach(() => rmSync(folder, { recursive: true }));

  it('keep their mode and their links, and a private copy of every earlier text', () => {
    if (process.platform === 'win32') return;
    const target = join(folder, 'dotfile.json');
    const link = join(folder, 'mcp.json');
    writeFileSync(target, 'one');
    chmodSync(target, 0o640);
    symlinkSync(target, link);
    const first = changeSettings(link, () => 'two');
    const second = changeSettings(link, () => 'three');
    expect(readFileSync(target, 'utf8')).to.equal('three');
    expect(lstatSync(link).isSymbolicLink()).to.equal(true);
    expect(statSync(target).mode & 0o777).to.equal(0o640);
    expect([first, second].map(({ backup }) => readFileSync(backup!, 'utf8'))).to.deep.equal(['one', 'two']);
    expect(statSync(first.backup!).mode & 0o777).to.equal(0o600);
    expect(readdirSync(folder)).to.have.length(4);
  });

  it('are made where there are none, privately, and left alone where nothing changes', () => {
    const file = join(folder, 'a', 'b.json');
    expect(changeSettings(file, (text) => `${text}x`)).to.deep.equal({ before: '', after: 'x' });
    if (process.platform !== 'win32') expect(statSync(file).mode & 0o777).to.equal(0o600);
    expect(changeSettings(file, (text) => text)).not.to.have.property('backup');
    expect(readdirSync(join(folder, 'a'))).to.deep.equal(['b.json']);
  });

  it('keep what another program writes meanwhile', () => {
    const file = join(folder, 'a.json');
    writeFileSync(file, 'a');
    let times = 0;
    changeSettings(file, (text) => {
      if (++times === 1) writeFileSync(file, `${text}b`);
      return `${text}c`;
    });
    expect(readFileSync(file, 'utf8')).to.equal('abc');
    expect(readFileSync(`${file}.bak`, 'utf8')).to.equal('ab');
  });

  it('are as they were when they cannot be changed', () => {
    const file = join(folder, 'a.json');
    writeFileSync(file, 'a');
    const failing = (): never => {
      throw new ConnectorError('MCPC_USAGE', 'no');
    };
    expect(() => changeSettings(file, failing)).to.throw(ConnectorError, 'no');
    expect(() => changeSettings(folder, () => 'x'))
      .to.throw(ConnectorError)
      .with.property('code', 'MCPC_USAGE');
    writeFileSync(file, Buffer.from([0xff, 0xfe, 0]));
    expect(() => changeSettings(file, () => 'x'))
      .to.throw(ConnectorError)
      .with.property('code', 'MCPC_USAGE');
    expect(existsSync(`${file}.bak`)).to.equal(false);
  });
});
