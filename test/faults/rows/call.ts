import { inTurn, type Outcome, type PeerMessage } from '@mcp-connect/testing';
import type { Column, Era, Wire } from '../column.js';
import type { Row, Setup } from '../row.js';
import type { Expected } from '../expected.js';

/** An answer of the server that is a result. */
export const RESULT: Expected = { kind: 'result' };

/** Our error for what may have been carried out and must not be sent again. */
export const UNKNOWN: Expected = ours('unknown', 'MCPC_OUTCOME_UNKNOWN');

/** An error of ours with one of these codes, or any where none is given. */
export function ours(executed: 'no' | 'unknown', ...codes: readonly string[]): Expected {
  return { kind: 'ours', executed, ...(codes.length > 0 && { codes }) };
}

/** An error of the server. */
export function serverError(code: number): Expected {
  return { kind: 'error', code };
}

/** Tells in which columns a row is played: on these wires, in both eras or in one. */
export function on(wires: readonly Wire[], era?: Era): Row['on'] {
  return (column) => wires.includes(column.wire) && (era === undefined || era === column.era);
}

/** A row of one request: what the server does with it, time after time, and what must come of it. */
export interface CallRow {
  readonly name: string;
  readonly on: Row['on'];
  /** What the server does with the first, second, … request; the last goes for all that follow. */
  readonly outcomes: (column: Column) => readonly Outcome[];
  readonly expected: Expected | ((column: Column) => Expected);
  /** How often the server carries the request out. */
  readonly executions: number;
  /** The request; a call of a tool of which nothing is known when not given. */
  readonly method?: string;
  readonly setup?: Omit<Setup, 'script'>;
}

/** Makes a row in which one request meets a fault, and another one behind it does not. */
export function call(row: CallRow): Row {
  const { name, outcomes, expected, executions, method = 'tools/call', setup } = row;
  return {
    name,
    on: row.on,
    server: (column) => ({ ...setup, script: inTurn(method, ...outcomes(column)) }),
    async play(scene) {
      const id = method === 'tools/call' ? scene.call() : scene.request(method);
      await scene.see(id, typeof expected === 'function' ? expected(scene.column) : expected);
      scene.executed(executions, method);
      await scene.goOn();
    },
  };
}

/** The arguments of a tool call, as its row composed them. */
export function argumentsOf({ params }: PeerMessage): Readonly<Record<string, unknown>> {
  return params?.['arguments'] as Readonly<Record<string, unknown>>;
}
