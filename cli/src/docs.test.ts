import { expect } from 'chai';
import { derivedFiles, readme } from './docs.js';
import { LOGIN, LOGOUT, WHOAMI } from './account-commands.js';
import { DEMO_FLAGS, DOCTOR_FLAGS, LOAD_BALANCE_FLAGS, PROXY_FLAGS, TEST_FLAGS } from './flags.js';
import { loadPlugins, mergeFlags } from './load.js';
import { CHECKS, MODES } from './modes.js';
import { pluginPlaces } from './resolve.js';

describe('the docs', () => {
  it('have tables and a schema that are those of the flags (npm run docs writes them)', async () => {
    for (const { path, text, derived } of await derivedFiles()) expect(text, path).to.equal(derived);
  });

  it('have all of them in the README', () => {
    const text = readme();
    const serving = { ...PROXY_FLAGS, ...LOAD_BALANCE_FLAGS };
    for (const name of Object.keys({ ...serving, ...TEST_FLAGS, ...DOCTOR_FLAGS, ...DEMO_FLAGS }))
      expect(text).to.include(`| \`--${name}\``);
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
