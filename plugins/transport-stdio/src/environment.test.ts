import { expect } from 'chai';
import { environmentOf } from './environment.js';

const own = { PATH: '/bin', HOME: '/home/me', EDITOR: 'vi', MCP_CONNECT_AUTH_TOKEN: 'secret-token' };

describe('the environment of a program', () => {
  it('is ours without our own settings', () => {
    const { env } = environmentOf(own, { set: [], clean: false });
    expect(env).to.deep.equal({ PATH: '/bin', HOME: '/home/me', EDITOR: 'vi' });
  });

  it('can be clean', () => {
    const { env } = environmentOf(own, { set: ['EDITOR=ed'], clean: true });
    expect(env).to.deep.equal({ PATH: '/bin', HOME: '/home/me', EDITOR: 'ed' });
  });

  it('takes variables whose values hold equals signs or nothing', () => {
    const { env } = environmentOf({}, { set: ['A=b=c', 'E='], clean: false });
    expect(env).to.deep.equal({ A: 'b=c', E: '' });
  });

  it('names the values that logs must hide', () => {
    const { secrets } = environmentOf({}, { set: ['API_KEY=k3y!', 'LOG_LEVEL=debug'], clean: false });
    expect(secrets).to.deep.equal(['k3y!']);
  });

  it('knows its variables in any case on Windows', () => {
    const ours = { Path: 'C:\\bin', SystemRoot: 'C:\\Windows', Editor: 'vi', mcp_connect_api_key: 'k' };
    const { env } = environmentOf(ours, { set: ['PATH=D:\\bin'], clean: true, platform: 'win32' });
    expect(env).to.deep.equal({ SystemRoot: 'C:\\Windows', PATH: 'D:\\bin' });
    expect(environmentOf(ours, { set: [], clean: false, platform: 'win32' }).env).to.deep.equal({
      Path: 'C:\\bin',
      SystemRoot: 'C:\\Windows',
      Editor: 'vi',
    });
  });

  for (const text of ['hunter2', '=hunter2']) {
    it(`refuses ${text} without showing it`, () => {
      try {
        environmentOf({}, { set: [text], clean: false });
      } catch (error) {
        expect(error).to.include({ code: 'MCPC_USAGE' });
        expect(JSON.stringify([error, String(error)])).not.to.include('hunter2');
        return;
      }
      throw new Error('nothing was thrown');
    });
  }
});
