import { expect } from 'chai';
import { definePlugin, type Plugin } from './plugin.js';

/** Compiles only when both types are the same. */
function same<A, B>(_proof: [A] extends [B] ? ([B] extends [A] ? true : never) : never): void {}

describe('definePlugin', () => {
  it('infers the options from the flags', () => {
    const plugin = definePlugin({
      name: 'typed',
      flags: {
        'x-text': { type: 'string', summary: 'a text' },
        'x-known': { type: 'string', summary: 'with a default', default: 'd' },
        'x-choice': { type: 'string', summary: 'one of two', options: ['a', 'b'] },
        'x-chosen': { type: 'string', summary: 'one of two', options: ['a', 'b'], default: 'a' },
        'x-list': { type: 'string', summary: 'several', multiple: true },
        'x-count': { type: 'integer', summary: 'a number' },
        'x-limit': { type: 'integer', summary: 'a number', default: 3 },
        'x-on': { type: 'boolean', summary: 'on' },
      },
      apply(_connector, options) {
        same<(typeof options)['x-text'], string | undefined>(true);
        same<(typeof options)['x-known'], string>(true);
        same<(typeof options)['x-choice'], 'a' | 'b' | undefined>(true);
        same<(typeof options)['x-chosen'], 'a' | 'b'>(true);
        same<(typeof options)['x-list'], readonly string[]>(true);
        same<(typeof options)['x-count'], number | undefined>(true);
        same<(typeof options)['x-limit'], number>(true);
        same<(typeof options)['x-on'], boolean>(true);
        // @ts-expect-error no such flag
        void options['x-none'];
        // @ts-expect-error options are read-only
        options['x-on'] = true;
      },
    });
    expect(plugin.name).to.equal('typed');
  });

  it('returns the very object, and needs no flags', () => {
    const bare: Plugin<{}> = { name: 'bare', apply: () => undefined };
    expect(definePlugin(bare)).to.equal(bare);
  });

  it('does not compile with flags, taps or members of the wrong kind', () => {
    // @ts-expect-error a flag needs its summary
    definePlugin({ name: 'a', flags: { x: { type: 'string' } }, apply() {} });
    // @ts-expect-error there is no such type of flag
    definePlugin({ name: 'b', flags: { x: { type: 'float', summary: 's' } }, apply() {} });
    // @ts-expect-error the default of a number is a number
    definePlugin({ name: 'c', flags: { x: { type: 'integer', summary: 's', default: '1' } }, apply() {} });
    // @ts-expect-error a plugin is applied
    definePlugin({ name: 'd' });
    definePlugin({
      name: 'e',
      apply({ hooks }) {
        // @ts-expect-error a message hook returns a message or nothing
        hooks.beforeSend.tap('e', () => 7);
        // @ts-expect-error every tap has a name
        hooks.authenticate.tap(() => undefined);
      },
    });
  });
});
