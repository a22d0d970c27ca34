import { expect } from 'chai';
import { ConnectorError, type Flags } from '@mcp-connect/core';
import { expandValues } from './expand.js';
import type { Values } from './flags.js';

const FLAGS = {
  text: { type: 'string', summary: '' },
  list: { type: 'string', summary: '', multiple: true },
  token: { type: 'string', summary: '', secret: true },
} as const satisfies Flags;

function expand(values: Values, env: Record<string, string> = {}): { values: Values; hidden: string[] } {
  const hidden: string[] = [];
  return {
    values: expandValues(values, { flags: FLAGS, env, hide: (...all) => hidden.push(...all) }),
    hidden,
  };
}

describe('variables in values', () => {
  it('are replaced in texts and in lists, and nowhere else', () => {
    const given = { text: '${A}-${B}', list: ['x', '${A}'], number: 1, yes: true, none: undefined };
    expect(expand(given, { A: '1', B: '' }).values).to.deep.equal({ ...given, text: '1-', list: ['x', '1'] });
  });

  it('stay as text behind a second dollar sign', () => {
    expect(expand({ text: '$${A} $A ${} ${a-b}' }).values).to.deep.equal({ text: '${A} $A ${} ${a-b}' });
  });

  it('are not looked for in what they stand for', () => {
    expect(expand({ text: '${A}' }, { A: '${B}' }).values).to.deep.equal({ text: '${B}' });
  });

  it('must be set', () => {
    const attempt = (): unknown => expand({ list: ['Authorization: Bearer ${MISSING}'] });
    expect(attempt)
      .to.throw(ConnectorError, /--list.*MISSING/)
      .with.property('code', 'MCPC_USAGE');
  });

  it('of a secret flag are hidden from logs, alone and as part of the whole value', () => {
    const { hidden } = expand({ text: '${A}', token: 'Bearer ${B}' }, { A: 'plain', B: 'sesame' });
    expect(hidden).to.have.members(['sesame', 'Bearer sesame']);
  });
});
