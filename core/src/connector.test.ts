import { expect } from 'chai';
import { Connector } from './connector.js';
import { ConnectorError } from './errors.js';
import { createLog } from './log.js';
import { definePlugin, type Plugin } from './plugin.js';
import { Scripted } from './scripted.test.js';

const make = (): Connector => new Connector({ log: createLog({ level: 'error', write: () => undefined }) });
const CLIENT = { deliver: () => undefined };

function brings(name: string, scheme: string): Plugin<{}> {
  return definePlugin({ name, apply: (connector) => connector.transport(scheme, new Scripted()) });
}

function usageError(run: () => unknown): ConnectorError {
  try {
    run();
  } catch (error) {
    expect(error).to.be.instanceOf(ConnectorError);
    expect(error).to.include({ code: 'MCPC_USAGE' });
    return error as ConnectorError;
  }
  return expect.fail('nothing was thrown');
}

describe('Connector', () => {
  it('applies plugins in order, once, when it starts', () => {
    const order: string[] = [];
    const plugin = (name: string): Plugin<{}> => ({
      name,
      apply(connector) {
        order.push(name);
        if (name === 'a') connector.transport('x', new Scripted());
        else connector.endpoint('x://host');
      },
    });
    const connector = make().use(plugin('a'), {}).use(plugin('b'), {});
    expect(order).to.deep.equal([]);
    connector.start().start();
    connector.connect(CLIENT);
    expect(order).to.deep.equal(['a', 'b']);
    expect(connector.endpoints.map(({ label }) => label)).to.deep.equal(['x://host']);
  });

  it('gives a plugin a log of its own, named after it', () => {
    const namespaces: string[] = [];
    const log = createLog({ level: 'info', write: ({ namespace }) => void namespaces.push(namespace) });
    const connector = new Connector({ log });
    for (const name of ['mcp-one', '@acme/mcp-two'])
      connector.use({ name, apply: (registry) => registry.log.info?.('here') });
    connector.use(brings('x', 'x')).endpoint('x://host');
    connector.start();
    expect(namespaces).to.deep.equal(['mcp-connect:mcp-one', 'mcp-connect:mcp-two']);
  });

  it('hands a plugin its options', () => {
    let got: unknown;
    const plugin = definePlugin({
      name: 'p',
      flags: { n: { type: 'integer', summary: 's', default: 1 } },
      apply: (_connector, options) => (got = options.n),
    });
    const connector = make().use(brings('x', 'x'), {}).use(plugin, { n: 7 });
    connector.endpoint('x://host');
    connector.start();
    expect(got).to.equal(7);
    // @ts-expect-error the options of a plugin are checked
    make().use(plugin, { n: 'seven' });
  });

  it('refuses everything that comes too late, and says what to do instead', () => {
    const connector = make().use(brings('x', 'x'), {});
    connector.endpoint('x://host');
    connector.start();
    for (const late of [
      () => connector.use(brings('y', 'y'), {}),
      () => connector.transport('y', new Scripted()),
      () => connector.endpoint('x://other'),
    ])
      expect(usageError(late).hint).to.be.a('string').that.is.not.empty;
  });

  it('names both plugins that bring the same transport', () => {
    const connector = make().use(brings('first-plugin', 'x'), {}).use(brings('second-plugin', 'x'), {});
    const { message } = usageError(() => connector.start());
    expect(message).to.include('first-plugin').and.to.include('second-plugin');
  });

  it('refuses to start without an endpoint', () => {
    usageError(() => make().use(brings('x', 'x'), {}).start());
  });

  it('names the unknown transport and those that are known', () => {
    const connector = make().use(brings('x', 'known'), {});
    connector.endpoint('other://host');
    const error = usageError(() => connector.start());
    expect(error.message).to.include('other');
    expect(error.hint).to.include('known');
  });

  it('lets a transport refuse an endpoint before anything is opened', () => {
    const server = new Scripted();
    const validate = (): never => {
      throw new ConnectorError('MCPC_USAGE', 'bad port');
    };
    const connector = make();
    connector.transport('x', { open: (context) => server.open(context), validate });
    connector.endpoint('x://host');
    expect(usageError(() => connector.connect(CLIENT)).message).to.equal('bad port');
    expect(server.channels).to.deep.equal([]);
  });

  it('hides the secrets of its endpoints from the log', () => {
    const connector = make();
    connector.endpoint('x://user:pa55word@host');
    expect(connector.log.redact('pa55word')).not.to.include('pa55word');
  });

  it('gives options that are left out the defaults of their flags', () => {
    let seen: unknown;
    const plugin = definePlugin({
      name: 'with-defaults',
      flags: {
        word: { type: 'string', default: 'w', summary: 's' },
        list: { type: 'string', multiple: true, summary: 's' },
        loud: { type: 'boolean', summary: 's' },
        none: { type: 'integer', summary: 's' },
      },
      apply: (_registry, options) => void (seen = options),
    });
    const connector = new Connector({ log: createLog({ level: 'error', write: () => undefined }) });
    connector.use(plugin, { loud: true });
    expect(() => connector.start())
      .to.throw()
      .with.property('code', 'MCPC_USAGE');
    expect(seen).to.deep.equal({ word: 'w', list: [], loud: true, none: undefined });
  });

  it('refuses a plugin whose apply is asynchronous', () => {
    const connector = new Connector({ log: createLog({ level: 'error', write: () => undefined }) });
    const apply = (): unknown => Promise.reject(new Error('late'));
    connector.use({ name: 'late', apply: apply as () => void });
    expect(() => connector.start())
      .to.throw()
      .with.property('code', 'MCPC_PLUGIN');
  });
});
