import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { delimiter } from 'node:path';
import type { Log } from '@mcp-connect/core';
import { reasonOf } from '@mcp-connect/core';

/** Where a page is to be opened. */
export interface BrowserPlace {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly platform: NodeJS.Platform;
  readonly log: Log;
}

/** Stands for the address in a command of `$BROWSER`. */
const ADDRESS = '%s';

/**
 * Opens a page in the user's browser: in the first command of `$BROWSER` that starts, else in the one of the system.
 * Nothing passes through a shell, and only web pages are opened (MCP security best practices, OAuth Authorization URL
 * Validation).
 *
 * @returns false when there is no browser to be opened
 */
export async function openBrowser(page: URL, { env, platform, log }: BrowserPlace): Promise<boolean> {
  if (page.protocol !== 'https:' && page.protocol !== 'http:') return false;
  for (const words of commandsOf(env['BROWSER'] ?? '')) {
    try {
      await start(words, page.href);
      return true;
    } catch (error) {
      log.debug?.('%s did not start: %s', words[0], reasonOf(error));
    }
  }
  if (!hasScreen(env, platform)) return false;
  const { default: open } = await import('open');
  try {
    const child = await open(page.href);
    // Its failure to start would else be thrown where nobody can catch it.
    child.on('error', (error) => log.debug?.('the browser did not start: %s', reasonOf(error)));
    child.unref();
    return true;
  } catch (error) {
    log.debug?.('the browser did not start: %s', reasonOf(error));
    return false;
  }
}

/** Takes `$BROWSER` apart: a path, or several commands with the path delimiter between them. */
function commandsOf(text: string): string[][] {
  if (text !== '' && existsSync(text)) return [[text]];
  return text
    .split(delimiter)
    .map((command) => command.split(/\s+/).filter((word) => word !== ''))
    .filter((words) => words.length > 0);
}

/** Settles as soon as the program runs. */
function start(words: readonly string[], address: string): Promise<void> {
  const [command = '', ...args] = words.map((word) => word.replaceAll(ADDRESS, () => address));
  if (!words.some((word) => word.includes(ADDRESS))) args.push(address);
  const child = spawn(command, args, { stdio: 'ignore', detached: true, windowsHide: true });
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('spawn', () => {
      child.unref();
      resolve();
    });
  });
}

/** A system without a screen may have browsers for the terminal, which would fight with us for it. */
function hasScreen(env: BrowserPlace['env'], platform: NodeJS.Platform): boolean {
  if (platform !== 'linux' && platform !== 'freebsd' && platform !== 'openbsd') return true;
  return ['DISPLAY', 'WAYLAND_DISPLAY', 'WSL_DISTRO_NAME'].some((name) => Boolean(env[name]));
}
