import type { Writable } from 'node:stream';

/** So much may wait for a reader, in bytes. */
const MOST_WAITING = 1_048_576;

/** Writes a text that nobody depends on: where its reader lags far behind, or reads nothing at all, it gets lost. */
export function writeLossy(stream: Writable, text: string): void {
  if (stream.writableLength < MOST_WAITING) stream.write(text);
}
