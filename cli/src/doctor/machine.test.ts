import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import {
  certificateFinding,
  clockFinding,
  nodeFinding,
  proxyFinding,
  signInFinding,
  stateFinding,
} from './machine.js';

describe('the doctor', () => {
  let folder: string;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'mcpc-doctor-'));
  });

  afterEach(() => rm(folder, { recursive: true }));

  it('knows which Node.js is too old', () => {
    for (const version of ['v20.19.0', 'v22.0.0', 'v26.1.0'])
      expect(nodeFinding(version, '').status).to.equal('ok');
    for (const version of ['v20.18.3', 'v18.20.0'])
      expect(nodeFinding(version, '').status).to.equal('failed');
  });

  it('shows proxies without their passwords, and what is no URL', () => {
    const { status, text } = proxyFinding({
      HTTPS_PROXY: 'http://user:secret@proxy:3128',
      no_proxy: 'localhost',
    });
    expect(status).to.equal('ok');
    expect(text).to.include('proxy:3128').and.include('NO_PROXY=localhost').and.not.include('secret');
    expect(proxyFinding({ HTTP_PROXY: 'ftp://proxy' })).to.include({ status: 'failed' });
  });

  it('warns of certificates that are not checked, and of files that hold none', async () => {
    expect(certificateFinding({}).status).to.equal('ok');
    expect(certificateFinding({ NODE_TLS_REJECT_UNAUTHORIZED: '0' }).status).to.equal('warning');
    const file = join(folder, 'ca.pem');
    expect(certificateFinding({ NODE_EXTRA_CA_CERTS: file }).status).to.equal('warning');
    await writeFile(file, 'nothing');
    expect(certificateFinding({ NODE_EXTRA_CA_CERTS: file }).status).to.equal('warning');
  });

  it('warns of a state folder that others can read, and says how to close it', async () => {
    expect(stateFinding(join(folder, 'none'), 'linux').status).to.equal('ok');
    await chmod(folder, 0o700);
    expect(stateFinding(folder, 'linux').status).to.equal('ok');
    await chmod(folder, 0o755);
    expect(stateFinding(folder, 'linux')).to.include({ status: 'warning', next: `chmod 700 "${folder}"` });
    expect(stateFinding(folder, 'win32').status).to.equal('ok');
    await writeFile(join(folder, 'file'), '');
    expect(stateFinding(join(folder, 'file'), 'linux').status).to.equal('failed');
  });

  it('tells of a state folder that can never be', async () => {
    const file = join(folder, 'file');
    await writeFile(file, '');
    expect(stateFinding(join(file, 'below'), 'linux')).to.include({
      status: 'failed',
      text: `${file} is no folder`,
    });
    expect(signInFinding(join(file, 'below'))).to.include({ status: 'ok' });
    // Nothing is locked for root.
    if (process.getuid?.() === 0) return;
    await chmod(folder, 0o500);
    expect(stateFinding(join(folder, 'none', 'deep'), 'linux')).to.include({ status: 'failed' });
    await chmod(folder, 0o700);
  });

  it('counts sign-ins', async () => {
    expect(signInFinding(folder).text).to.include('none');
    await mkdir(join(folder, 'oauth'));
    for (const name of ['a.json', 'b.json', 'c.lock']) await writeFile(join(folder, 'oauth', name), '');
    expect(signInFinding(folder).text).to.match(/^2 /);
  });

  it('warns of a clock that is wrong', () => {
    const now = new Date();
    expect(clockFinding(undefined, now).status).to.equal('ok');
    expect(clockFinding(900, now).status).to.equal('ok');
    expect(clockFinding(-3_600_000, now)).to.include({ status: 'warning' });
  });
});
