import { once } from 'node:events';
import { watch } from 'node:fs';
import { mkdtemp, rm, writeFile, readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { createLog } from '@mcp-connect/core';
import { expect } from 'chai';
import { openBrowser } from './browser.js';

const log = createLog({ level: 'error', write: () => undefined });

describe('openBrowser', () => {
  let folder: string;
  /** A program that notes the address it is started with. */
  let browser: string;
  let note: string;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'mcpc browser-'));
    browser = join(folder, 'browser.mjs');
    note = join(folder, 'note');
    const program = `#!${process.execPath}
      import { renameSync, writeFileSync } from 'node:fs';
      writeFileSync(${JSON.stringify(`${note}.part`)}, JSON.stringify(process.argv.slice(2)));
      renameSync(${JSON.stringify(`${note}.part`)}, ${JSON.stringify(note)});`;
    await writeFile(browser, program, { mode: 0o755 });
  });
  afterEach(() => rm(folder, { recursive: true }));

  function open(page: string, BROWSER: string): Promise<boolean> {
    // A platform that opens nothing without a screen, so that no test starts a real browser.
    return openBrowser(new URL(page), { env: { BROWSER }, platform: 'linux', log });
  }

  /** The words that the browser was started with. */
  async function noted(): Promise<unknown> {
    const changes = watch(folder);
    try {
      for (;;) {
        // Listened for before the look, so that no change falls in between.
        const changed = once(changes, 'change');
        const text = await readFile(note, 'utf8').catch(() => undefined);
        if (text !== undefined) return JSON.parse(text);
        await changed;
      }
    } finally {
      changes.close();
    }
  }

  it('starts $BROWSER without a shell, whatever the address holds', async () => {
    const page = 'https://as.example/authorize?a=$(id)&b=`id`;c="\'|&d=%24HOME';
    expect(await open(page, browser)).to.equal(true);
    expect(await noted()).to.deep.equal([new URL(page).href]);
  });

  it('puts the address where $BROWSER says', async () => {
    expect(await open('https://as.example/', `${process.execPath} -e 0 %s`)).to.equal(true);
    const script = join(tmpdir(), 'mcpc-no-such-program');
    expect(await open('https://as.example/', `${script}${delimiter}${process.execPath} -e 0`)).to.equal(true);
  });

  it('says so when there is nothing to open a page with', async () => {
    expect(await open('https://as.example/', '')).to.equal(false);
    expect(await open('https://as.example/', join(folder, 'missing'))).to.equal(false);
  });

  for (const page of ['javascript:alert(1)', 'file:///etc/passwd', 'data:text/html,x', 'ms-settings:x']) {
    it(`opens no ${new URL(page).protocol} address`, async () => {
      expect(await open(page, browser)).to.equal(false);
    });
  }
});
