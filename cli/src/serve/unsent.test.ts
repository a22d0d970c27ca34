import { parseEndpoint } from '@mcp-connect/core';
import { expect } from 'chai';
import { MODES } from '../command-line/modes.js';
import { parsePlain } from '../command-line/plain.js';
import { BUILT_IN } from '../plugins/built-in.js';
import { loadPlugins, mergeFlags } from '../plugins/load.js';
import { pluginPlaces } from '../plugins/resolve.js';
import { unsentFlags } from './unsent.js';

const GIVEN = ['--auth-token', 'token', '--headers', 'X-A: b'];

describe('flags that only make header fields', () => {
  async function unsent(args: readonly string[], ...endpoints: readonly string[]): Promise<string[]> {
    const plugins = await loadPlugins(Object.keys(BUILT_IN), pluginPlaces({}));
    const values = parsePlain(args, mergeFlags(MODES.proxy.flags, plugins), { env: {} })!;
    return unsentFlags({ plugins, values, endpoints: endpoints.map((each) => parseEndpoint(each)) });
  }

  for (const endpoint of ['tcp://127.0.0.1:9', 'tls://127.0.0.1:9', 'unix:/run/x.sock', 'stdio:node x.js']) {
    it(`are named for ${endpoint}`, async () => {
      expect(await unsent(GIVEN, endpoint)).to.deep.equal(['--auth-token', '--headers']);
    });
  }

  it('are not named where they were not given', async () => {
    expect(await unsent([], 'tcp://127.0.0.1:9')).to.deep.equal([]);
  });

  it('are not named where any endpoint takes them', async () => {
    expect(await unsent(GIVEN, 'tcp://127.0.0.1:9', 'http://127.0.0.1:9/mcp')).to.deep.equal([]);
  });

  it('are not named where there is no endpoint yet', async () => {
    expect(await unsent(GIVEN)).to.deep.equal([]);
  });
});
