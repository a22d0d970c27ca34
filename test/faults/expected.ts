import type { PeerMessage } from '@mcp-connect/testing';
import type { Subject } from './subjects.js';

/** What an answer must look like. */
export type Expected =
  | { readonly kind: 'result' }
  | { readonly kind: 'error'; readonly code: number }
  /** An error of the subject itself: with one of these codes, and what it tells of the execution, where given. */
  | { readonly kind: 'ours'; readonly codes?: readonly string[]; readonly executed?: 'no' | 'unknown' }
  | { readonly kind: 'any' };

/** Throws when something is not as it must be. */
export function check(holds: boolean, fault: string): asserts holds {
  if (!holds) throw new Error(fault);
}

/** What rows look at in the `data` of our errors. */
interface OurData {
  readonly source?: string;
  readonly code?: string;
  readonly executed?: string;
}

/** Throws when an answer is not what it must be. */
export function see(answer: PeerMessage, expected: Expected, { foreign }: Subject): void {
  const { result, error } = answer;
  const data = (error?.data ?? {}) as OurData;
  const ours = data.source === 'mcp-connect';
  const seen = wordsFor(answer, data);
  switch (expected.kind) {
    case 'result':
      return check(result !== undefined, `${seen} in place of a result`);
    case 'error':
      return check(!ours && error?.code === expected.code, `${seen} in place of error ${expected.code}`);
    case 'ours': {
      const { codes, executed } = expected;
      const wanted = [codes?.join(' or ') ?? 'an error', executed ?? ''].join(' ').trimEnd();
      const fits =
        ours && (codes?.includes(data.code ?? '') ?? true) && (executed ?? data.executed) === data.executed;
      return check(error !== undefined && (foreign || fits), `${seen} in place of ${wanted}`);
    }
    case 'any':
  }
}

function wordsFor({ error }: PeerMessage, { source, code = '', executed = '' }: OurData): string {
  if (error === undefined) return 'a result';
  return source === 'mcp-connect' ? `${code} ${executed}`.trimEnd() : `error ${error.code}`;
}
