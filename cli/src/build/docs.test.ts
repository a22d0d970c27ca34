import { readdirSync, readFileSync } from 'node:fs';
import { expect } from 'chai';
import { LOGIN, LOGOUT, WHOAMI } from '../accounts/accounts.js';
import { CHECKS, MODES } from '../command-line/modes.js';
import { DEMO_FLAGS } from '../flags/local.js';
import { loadPlugins, mergeFlags } from '../plugins/load.js';
import { pluginPlaces } from '../plugins/resolve.js';
import { derivedFiles } from './docs.js';
import { manual, MANUAL } from './manual.js';

describe('the docs', () => {
  it('derive from the flags (npm run docs writes what does)', async () => {
    for (const { path, text, derived, flags } of await derivedFiles()) {
      expect(text, path).to.equal(derived);
      for (const name of Object.keys(flags)) expect(text, path).to.include(`| \`--${name}\``);
    }
  });
});

describe('the manual', () => {
  it('has a page for every command, as its help is (node cli/dist/build/docs.js writes them)', async () => {
    const written = readdirSync(MANUAL).map((name) => [name, readFileSync(new URL(name, MANUAL), 'utf8')]);
    expect(Object.fromEntries(written)).to.deep.equal(Object.fromEntries(await manual()));
  });
});

describe('every flag', () => {
  it('has an environment variable of our prefix and of its own', async () => {
    for (const { flags, plugins } of [...Object.values({ ...MODES, ...CHECKS }), LOGIN, LOGOUT, WHOAMI]) {
      const all = { ...mergeFlags(flags, await loadPlugins(plugins, pluginPlaces({}))), ...DEMO_FLAGS };
      const variables = Object.values(all).map(({ env }) => env);
      for (const variable of variables) expect(variable).to.match(/^MCP_CONNECT_/);
      expect(new Set(variables)).to.have.property('size', variables.length);
    }
  });
});
