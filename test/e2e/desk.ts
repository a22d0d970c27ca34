import { watch, type FSWatcher } from 'node:fs';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fixture } from './servers.js';
import { Inbox } from './inbox.js';

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
  readonly #folder: string;
  readonly #watcher: FSWatcher;
  readonly #seen = new Set<string>();

  private constructor(folder: string) {
    this.#folder = folder;
    const stateDir = join(folder, 'state');
    this.signIns = join(stateDir, 'oauth');
    const BROWSER = [...fixture('noting-browser', folder), '%s'].join(' ');
    this.env = { BROWSER, MCP_CONNECT_STATE_DIR: stateDir };
    this.#watcher = watch(folder, () => void this.#look());
  }

  static async open(): Promise<Desk> {
    return new Desk(await mkdtemp(join(tmpdir(), 'mcpc-desk-')));
  }

  async close(): Promise<void> {
    this.#watcher.close();
    await rm(this.#folder, { recursive: true, force: true });
  }

  async #look(): Promise<void> {
    for (const name of await readdir(this.#folder).catch(() => [])) {
      if (!name.endsWith('.tab') || this.#seen.has(name)) continue;
      this.#seen.add(name);
      const address = await readFile(join(this.#folder, name), 'utf8');
      this.tabs.push(address);
      this.opened.put(address);
    }
  }
}
