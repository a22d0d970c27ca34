import type { Script } from '@mcp-connect/testing';
import type { Column } from './column.js';
import type { Scene } from './scene.js';
import type { Strategy } from './subjects.js';

/** What the server of a row does. */
export interface Setup {
  readonly script?: Script;
  /** True for HTTP servers that name their sessions. */
  readonly sessions?: boolean;
  /** True for HTTP servers that offer a stream of news. */
  readonly news?: boolean;
  /** What a server of lines writes before anything else. */
  readonly greeting?: string;
  /** The program of a stdio server that is no scripted one. */
  readonly program?: readonly string[];
  /** A second server, which the row's strategy knows too. */
  readonly spare?: Omit<Setup, 'program' | 'spare'>;
}

/** One line of the table: a named fault, and what must be seen. */
export interface Row {
  readonly name: string;
  /** The columns where the fault can be played. */
  on(column: Column): boolean;
  server(column: Column): Setup;
  /** Flags for the subject; a row with flags is not played with the subjects of others. */
  readonly flags?: readonly string[];
  /** How the subject chooses between two servers; such a row is not played with the subjects of others. */
  readonly strategy?: Strategy;
  /** True when the subject is given a bearer token. */
  readonly credentials?: boolean;
  /** True when it needs the machine for itself. */
  readonly heavy?: boolean;
  /** True when the stop is the row's own matter: it has to see to the exit. */
  readonly stops?: boolean;
  /** True when the session is begun by the row itself. */
  readonly unopened?: boolean;
  /** Plays the fault and rejects with what was wrong. */
  play(scene: Scene): Promise<void>;
}
