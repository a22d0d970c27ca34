import { watch, type FSWatcher } from 'node:fs';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fixture } from './servers.js';
import { Inbox } from './inbox.js';

/** A program of `test/fixtures` that stands in for a browser. */
type Browser = 'noting-browser' | 'browser';

/** A user at a machine of its own: where its sign-ins are kept, and the tabs that were opened in its browser. */
export class Desk {
  /** What programs of this user find in their environment. */
  readonly env: Readonly<Record<string, string>>;
  /** The addresses of all tabs so far. */
  readonly tabs: string[] = [];
  /** The same, to be waited for. */
  readonly opened = new Inbox<string>();
  /** The folder of the sign-ins. */
  readonly signIns: string;
  /** A folder of the user's own. */
  readonly folder: string;
  readonly #watcher: FSWatcher;
  readonly #seen = new Set<string>();

  private constructor(folder: string, browser: Browser) {
    this.folder = folder;
    const stateDir = join(folder, 'state');
    this.signIns = join(stateDir, 'oauth');
    const words = browser === 'noting-browser' ? fixture(browser, folder) : fixture(browser);
    const BROWSER = [...words, '%s'].join(' ');
    this.env = { BROWSER, MCP_CONNECT_STATE_DIR: stateDir };
    this.#watcher = watch(folder, () => void this.#look());
  }

  /** Opens a desk whose browser waits for the test to go on, or signs in and agrees by itself. */
  static async open(browser: Browser = 'noting-browser'): Promise<Desk> {
    return new Desk(await mkdtemp(join(tmpdir(), 'mcpc-desk-')), browser);
  }

  async close(): Promise<void> {
    this.#watcher.close();
    await rm(this.folder, { recursive: true, force: true });
  }

  async #look(): Promise<void> {
    for (const name of await readdir(this.folder).catch(() => [])) {
      if (!name.endsWith('.tab') || this.#seen.has(name)) continue;
      this.#seen.add(name);
      const address = await readFile(join(this.folder, name), 'utf8');
      this.tabs.push(address);
      this.opened.put(address);
    }
  }
}
