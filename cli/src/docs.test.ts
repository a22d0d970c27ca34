import { readdirSync, readFileSync } from 'node:fs';
import { expect } from 'chai';
import { readmes } from './docs.js';
import { loadPlugins, mergeFlags } from './load.js';
import { manual, MANUAL } from './manual.js';
import { CHECKS, MODES } from './modes.js';
import { pluginPlaces } from './resolve.js';

describe('the READMEs', () => {
  it('list all flags, as they are (npm run docs writes the tables)', async () => {
    for (const { file, text, fresh, flags } of await readmes()) {
      expect(text, file).to.equal(fresh);
      for (const name of Object.keys(flags)) expect(text, file).to.include(`| \`--${name}\``);
    }
  });
});

describe('the manual', () => {
  it('has a page for every command, as its help is (node cli/dist/docs.js writes them)', async () => {
    const written = readdirSync(MANUAL).map((name) => [name, readFileSync(new URL(name, MANUAL), 'utf8')]);
    expect(Object.fromEntries(written)).to.deep.equal(Object.fromEntries(await manual()));
  });
});

describe('every flag', () => {
  it('has an environment variable of our prefix and of its own', async () => {
    for (const { flags, plugins } of Object.values({ ...MODES, ...CHECKS })) {
      const all = mergeFlags(flags, await loadPlugins(plugins, pluginPlaces({})));
      const variables = Object.values(all).map(({ env }) => env);
      for (const variable of variables) expect(variable).to.match(/^MCP_CONNECT_/);
      expect(new Set(variables)).to.have.property('size', variables.length);
    }
  });
});
