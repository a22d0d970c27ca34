import type { Writable } from 'node:stream';
import type { Environment } from '../command-line/plain.js';

/** Where progress is shown. */
export interface ProgressOptions {
  readonly stderr: Writable & { readonly isTTY?: boolean };
  readonly env: Environment;
  /** Whether the result is for a program. */
  readonly json: boolean;
}

/** What a command is doing, shown while it lasts. */
export interface Progress {
  /** Names what is being done now. */
  say(text: string): void;
  /** Takes everything off the screen again. */
  done(): void;
}

const SILENT: Progress = { say: () => undefined, done: () => undefined };

/** Returns whether a person sits there and watches: programs and build servers want none of it. */
export function isWatched({ stderr, env, json }: ProgressOptions): boolean {
  return stderr.isTTY === true && !json && env['TERM'] !== 'dumb' && env['CI'] === undefined;
}

/** Shows on stderr that work goes on, to a person at a terminal; log lines are written above it. */
export async function showProgress(text: string, options: ProgressOptions): Promise<Progress> {
  if (!isWatched(options)) return SILENT;
  const { default: spinner } = await import('yocto-spinner');
  const shown = spinner({ text, stream: options.stderr as NodeJS.WriteStream }).start();
  return {
    say: (now) => {
      shown.text = now;
    },
    done: () => void shown.stop(),
  };
}
