import { expect } from 'chai';
import { pluginFault } from './plugin-fault.js';

const apply = (): void => undefined;

describe('pluginFault', () => {
  it('finds none in a plugin, with every kind of flag', () => {
    const flags = {
      'x-text': { type: 'string', summary: 's', env: 'X_TEXT', options: ['a', 'b'], default: 'a' },
      'x-list': { type: 'string', summary: 's', multiple: true },
      'x-count': { type: 'integer', summary: 's', min: 1, max: 3, default: 2 },
      x: { type: 'boolean', summary: 's' },
    };
    expect(pluginFault({ name: 'a', core: '^1.0.0', flags, apply })).to.equal(undefined);
    expect(pluginFault({ name: 'a', apply })).to.equal(undefined);
  });

  for (const [what, value] of Object.entries({
    'a function': apply,
    nothing: null,
    'a list': [],
    'no name': { apply },
    'an empty name': { name: ' ', apply },
    'no apply': { name: 'a' },
    'a range that is no text': { name: 'a', core: 5, apply },
    'flags that are a list': { name: 'a', flags: ['b'], apply },
    'flags that are null': { name: 'a', flags: null, apply },
  })) {
    it(`finds ${what}`, () => expect(pluginFault(value)).to.be.a('string'));
  }

  for (const [what, flags] of Object.entries({
    'no data': { x: null },
    'no summary': { x: { type: 'string' } },
    'no known type': { x: { type: 'float', summary: 's' } },
    'dashes in front': { '--x': { type: 'string', summary: 's' } },
    capitals: { xY: { type: 'string', summary: 's' } },
    'the name of help': { help: { type: 'boolean', summary: 's' } },
    'a variable of no such name': { x: { type: 'string', summary: 's', env: 'A-B' } },
    'a default of another type': { x: { type: 'integer', summary: 's', default: '1' } },
    'a default out of range': { x: { type: 'integer', summary: 's', max: 3, default: 4 } },
    'a default that is none of its options': {
      x: { type: 'string', summary: 's', options: ['a'], default: 'b' },
    },
    'a default although it may be repeated': {
      x: { type: 'string', summary: 's', multiple: true, default: 'b' },
    },
    'options that are no list': { x: { type: 'string', summary: 's', options: 'ab' } },
    'a default although it is a boolean': { x: { type: 'boolean', summary: 's', default: true } },
  })) {
    it(`names a flag with ${what}`, () => {
      expect(pluginFault({ name: 'a', flags, apply })).to.include(JSON.stringify(Object.keys(flags)[0]));
    });
  }
});
