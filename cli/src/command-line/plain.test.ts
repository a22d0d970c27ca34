import { expect } from 'chai';
import * as fc from 'fast-check';
import { parse } from '@oclif/core/parser';
import type { Flags } from '@mcp-connect/core';
import type { Values } from '../flags/flags.js';
import { oclifFlags, valuesOf } from '../flags/oclif-flags.js';
import { cutLine, parsePlain, type Environment } from './plain.js';

const FLAGS = {
  text: { type: 'string', summary: '', env: 'PLAIN_TEST_TEXT' },
  preset: { type: 'string', summary: '', env: 'PLAIN_TEST_PRESET', default: 'some' },
  choice: { type: 'string', summary: '', env: 'PLAIN_TEST_CHOICE', options: ['a', 'b'], default: 'a' },
  list: { type: 'string', summary: '', env: 'PLAIN_TEST_LIST', multiple: true },
  number: { type: 'integer', summary: '', env: 'PLAIN_TEST_NUMBER', default: 30, min: 1, max: 99 },
  any: { type: 'integer', summary: '' },
  yes: { type: 'boolean', summary: '', env: 'PLAIN_TEST_YES' },
} as const satisfies Flags;

const DEFAULTS = {
  text: undefined,
  preset: 'some',
  choice: 'a',
  list: [],
  number: 30,
  any: undefined,
  yes: false,
};

async function byOclif(args: readonly string[], env: Environment): Promise<Values> {
  Object.assign(process.env, env);
  try {
    return valuesOf(FLAGS, await parse([...args], { flags: oclifFlags(FLAGS, []) }));
  } finally {
    for (const name of Object.keys(env)) delete process.env[name];
  }
}

describe('the plain parser', () => {
  const accepted: [string, string[], Environment, object][] = [
    ['nothing', [], {}, {}],
    [
      'values after a space and after an equals sign',
      ['--text', 'x', '--number=7'],
      {},
      { text: 'x', number: 7 },
    ],
    ['an equals sign inside a value', ['--text=a=b'], {}, { text: 'a=b' }],
    ['an empty text', ['--text', '', '--preset='], {}, { text: '', preset: '' }],
    ['a flag that may be repeated', ['--list', 'x', '--list=y'], {}, { list: ['x', 'y'] }],
    ['a boolean, once or twice', ['--yes', '--yes'], {}, { yes: true }],
    ['one of the options', ['--choice', 'b'], {}, { choice: 'b' }],
    [
      'environment variables',
      [],
      { PLAIN_TEST_TEXT: 'e', PLAIN_TEST_NUMBER: '5', PLAIN_TEST_LIST: 'l', PLAIN_TEST_YES: '1' },
      { text: 'e', number: 5, list: ['l'], yes: true },
    ],
    ['a flag before its environment variable', ['--text', 'x'], { PLAIN_TEST_TEXT: 'e' }, { text: 'x' }],
    ['an empty environment variable as none', [], { PLAIN_TEST_PRESET: '' }, {}],
  ];
  for (const [what, args, env, differences] of accepted) {
    it(`reads ${what} as oclif does`, async () => {
      const values = parsePlain(args, FLAGS, { env });
      expect(values).to.deep.equal({ ...DEFAULTS, ...differences });
      expect(values).to.deep.equal(await byOclif(args, env));
    });
  }

  const doubtful: [string, string[], Environment][] = [
    ['an unknown flag', ['--txet', 'x'], {}],
    ['help', ['--help'], {}],
    ['a short flag', ['-h'], {}],
    ['a stray word', ['--text', 'x', 'stray'], {}],
    ['a missing value', ['--text'], {}],
    ['a flag in the place of a value', ['--text', '--yes'], {}],
    ['a value for a boolean', ['--yes=true'], {}],
    ['a flag given twice', ['--text', 'x', '--text', 'y'], {}],
    ['a number with letters', ['--number', '7s'], {}],
    ['a number out of range', ['--number', '0'], {}],
    ['a value that is no option', ['--choice', 'c'], {}],
    ['a wrong environment variable', [], { PLAIN_TEST_NUMBER: 'x' }],
    ['an unclear boolean of the environment', [], { PLAIN_TEST_YES: 'perhaps' }],
    ['the name of a member of every object', ['--constructor', 'x'], {}],
  ];
  for (const [what, args, env] of doubtful) {
    it(`leaves ${what} to oclif`, () => {
      expect(parsePlain(args, FLAGS, { env })).to.equal(undefined);
    });
  }

  it('agrees with oclif on every line that it accepts', async () => {
    const likely = { text: 'x', preset: 'ü', choice: 'b', list: 'a,b', number: '7', any: '007', yes: 'true' };
    const odd = fc.constantFrom('', '-1', '1e2', 'a=b', '--yes', '--', '${X}', '0', '100');
    const name = fc.constantFrom(...(Object.keys(likely) as (keyof typeof likely)[]));
    const pair = fc.oneof(
      { weight: 4, arbitrary: name.map((flag) => [flag, likely[flag]] as const) },
      { weight: 1, arbitrary: fc.tuple(fc.oneof(name, fc.constantFrom('no-yes', 'unknown')), odd) },
    );
    const piece = fc.oneof(
      pair.map(([flag, text]) => [`--${flag}`, text]),
      pair.map(([flag, text]) => [`--${flag}=${text}`]),
      fc.constant(['--yes']),
    );
    const variables = fc
      .dictionary(name, fc.boolean(), { maxKeys: 3 })
      .map((set) =>
        Object.fromEntries(
          Object.entries(set).map(([flag, empty]) => [
            `PLAIN_TEST_${flag.toUpperCase()}`,
            empty ? '' : likely[flag as keyof typeof likely],
          ]),
        ),
      );
    const line = fc.array(piece, { maxLength: 5 }).map((pieces) => pieces.flat());
    const property = fc.asyncProperty(line, variables, async (argv, env) => {
      const { args } = cutLine(argv);
      const values = parsePlain(args, FLAGS, { env });
      fc.pre(values !== undefined);
      expect(values).to.deep.equal(await byOclif(args, env));
    });
    await fc.assert(property, { numRuns: 1000 });
  });

  it('cuts the line at the first --', () => {
    expect(cutLine(['--yes', '--', 'a', '--', 'b'])).to.deep.equal({
      args: ['--yes'],
      words: ['a', '--', 'b'],
    });
    expect(cutLine(['--yes'])).to.deep.equal({ args: ['--yes'], words: [] });
  });
});
