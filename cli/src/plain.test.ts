import { expect } from 'chai';
import fc from 'fast-check';
import { parse } from '@oclif/core/parser';
import type { Flags } from '@mcp-connect/core';
import type { Values } from './flags.js';
import { oclifFlags, valuesOf } from './oclif-flags.js';
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
    const { flags } = await parse([...args], { flags: oclifFlags(FLAGS, []) });
    return valuesOf(FLAGS, flags as Record<string, unknown>);
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
      const values = parsePlain(args, FLAGS, env);
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
      expect(parsePlain(args, FLAGS, env)).to.equal(undefined);
    });
  }

  it('agrees with oclif on every line that it accepts', async () => {
    const value = fc.constantFrom(
      'x',
      '',
      'a',
      'b',
      '7',
      '007',
      '-1',
      '1e2',
      'a=b',
      '--yes',
      '--',
      'ü',
      '${X}',
    );
    const name = fc.constantFrom(...Object.keys(FLAGS), 'no-yes', 'unknown');
    const piece = fc.oneof(
      { weight: 4, arbitrary: fc.tuple(name, value).map(([flag, text]) => [`--${flag}`, text]) },
      { weight: 4, arbitrary: fc.tuple(name, value).map(([flag, text]) => [`--${flag}=${text}`]) },
      { weight: 2, arbitrary: fc.constant(['--yes']) },
      { weight: 1, arbitrary: fc.tuple(value) },
    );
    const env = fc.record(
      Object.fromEntries(
        ['TEXT', 'PRESET', 'CHOICE', 'LIST', 'NUMBER', 'YES'].map((key) => [
          `PLAIN_TEST_${key}`,
          fc.constantFrom('', 'a', '7', '0', 'true', 'x'),
        ]),
      ),
      { requiredKeys: [] },
    );
    let agreed = 0;
    const line = fc.array(piece, { maxLength: 4 }).map((pieces) => pieces.flat());
    const property = fc.asyncProperty(line, env, async (argv, variables) => {
      const { args } = cutLine(argv);
      const values = parsePlain(args, FLAGS, variables);
      if (values === undefined) return;
      agreed += 1;
      expect(values).to.deep.equal(await byOclif(args, variables));
    });
    await fc.assert(property, { numRuns: 2000 });
    expect(agreed).to.be.greaterThan(100);
  });

  it('cuts the line at the first --', () => {
    expect(cutLine(['--yes', '--', 'a', '--', 'b'])).to.deep.equal({
      args: ['--yes'],
      words: ['a', '--', 'b'],
    });
    expect(cutLine(['--yes'])).to.deep.equal({ args: ['--yes'], words: [] });
  });
});
