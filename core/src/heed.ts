/** A stream that can be held back, as node's readable ones are. */
export interface HeldStream {
  on(event: 'data' | 'pause' | 'resume', listener: () => void): unknown;
  once(event: 'close', listener: () => void): unknown;
}

/** How often a stream that we hold back ourselves counts as alive, in milliseconds. */
const HELD = 250;

/**
 * Tells that a server is alive: with every chunk of a stream, and for as long as we hold the stream back ourselves, since
 * that silence is none of the server's.
 */
export function heed(stream: HeldStream, onalive: () => void): void {
  let held: NodeJS.Timeout | undefined;
  const release = (): void => {
    clearInterval(held);
    held = undefined;
  };
  stream.on('data', onalive);
  stream.on('pause', () => {
    held ??= setInterval(onalive, HELD).unref();
  });
  stream.on('resume', () => {
    if (held !== undefined) onalive();
    release();
  });
  stream.once('close', release);
}
