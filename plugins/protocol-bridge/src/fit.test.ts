import { expect } from 'chai';
import { LegacyFit } from './fit.js';
import { fitElicitation, fitSampling } from './fit-prompts.js';
import type { LegacyRevision } from './legacy-client.js';

const TEXT = { type: 'text', text: 'a' };
const AUDIO = { type: 'audio', data: 'AA==', mimeType: 'audio/wav' };
const LINK = { type: 'resource_link', uri: 'memo://a', name: 'memo' };
const STRANGE = { type: 'hologram', data: 1 };

describe('LegacyFit', () => {
  const contentFor = (revision: LegacyRevision, ...content: object[]): unknown =>
    new LegacyFit(revision).result('tools/call', { name: 'a' }, { content })['content'];

  describe('content', () => {
    it('passes as it is where the revision knows it', () => {
      expect(contentFor('2025-11-25', TEXT, AUDIO, LINK)).to.deep.equal([TEXT, AUDIO, LINK]);
      expect(contentFor('2025-03-26', TEXT, AUDIO)).to.deep.equal([TEXT, AUDIO]);
    });

    it('is said in older words where not', () => {
      const sound = { uri: 'urn:mcp-connect:audio', mimeType: 'audio/wav', blob: 'AA==' };
      expect(contentFor('2024-11-05', AUDIO)).to.deep.equal([{ type: 'resource', resource: sound }]);
      expect(contentFor('2025-03-26', LINK)).to.deep.equal([{ type: 'text', text: 'memo: memo://a' }]);
      expect(contentFor('2025-11-25', STRANGE)).to.deep.equal([
        { type: 'text', text: JSON.stringify(STRANGE) },
      ]);
    });

    it('of prompts is fitted too', () => {
      const fit = new LegacyFit('2024-11-05');
      const { messages } = fit.result('prompts/get', {}, { messages: [{ role: 'user', content: LINK }] });
      expect(messages).to.deep.equal([{ role: 'user', content: { type: 'text', text: 'memo: memo://a' } }]);
    });
  });

  describe('structured content', () => {
    const list = (outputSchema?: unknown): object => ({ name: 'a', inputSchema: {}, outputSchema });
    const called = (fit: LegacyFit, result: object): object =>
      fit.result('tools/call', { name: 'a' }, { ...result });

    for (const structuredContent of [[1], 'text', 0, false, null]) {
      it(`that is ${JSON.stringify(structuredContent)} is put into an object, and told as text`, () => {
        expect(called(new LegacyFit('2025-11-25'), { content: [], structuredContent })).to.deep.equal({
          content: [{ type: 'text', text: JSON.stringify(structuredContent) }],
          structuredContent: { result: structuredContent },
        });
      });
    }

    it('that is an object stays one, unless its schema was wrapped', () => {
      const fit = new LegacyFit('2025-11-25');
      const result = { content: [TEXT], structuredContent: { b: 1 } };
      expect(called(fit, result)).to.deep.equal(result);
      fit.result('tools/list', {}, { tools: [list({ anyOf: [{ type: 'object' }, { type: 'array' }] })] });
      expect(called(fit, result)).to.deep.equal({ ...result, structuredContent: { result: { b: 1 } } });
      fit.result('tools/list', {}, { tools: [list({ type: 'object' })] });
      expect(called(fit, result)).to.deep.equal(result);
    });

    it('has a schema that a client accepts, with references that still lead where they led', () => {
      const schema = {
        $schema: 'https://json-schema.org/draft/2020-12/schema',
        type: 'array',
        items: { $ref: '#/$defs/node' },
        $defs: {
          node: { properties: { $ref: { type: 'string' }, next: { $ref: '#' } }, default: { $ref: '#/x' } },
          other: { $id: 'https://a.b/c', $ref: '#/own' },
        },
      };
      const { tools } = new LegacyFit('2025-11-25').result('tools/list', {}, { tools: [list(schema)] });
      expect((tools as { outputSchema: object }[])[0]!.outputSchema).to.deep.equal({
        $schema: schema.$schema,
        type: 'object',
        properties: {
          result: {
            ...schema,
            items: { $ref: '#/properties/result/$defs/node' },
            $defs: {
              node: {
                properties: { $ref: { type: 'string' }, next: { $ref: '#/properties/result' } },
                default: { $ref: '#/x' },
              },
              other: schema.$defs.other,
            },
          },
        },
        required: ['result'],
      });
    });
  });
});

describe('questions for a legacy client', () => {
  const choice = { type: 'string', oneOf: [{ const: 'a', title: 'A' }, { const: 'b' }] };

  it('are forms with choices as the revision has them', () => {
    const params = {
      mode: 'form',
      message: 'Which?',
      requestedSchema: { type: 'object', properties: { choice } },
    };
    expect(fitElicitation(params, '2025-11-25')).to.equal(params);
    expect(fitElicitation(params, '2025-06-18')).to.deep.equal({
      message: 'Which?',
      requestedSchema: {
        type: 'object',
        properties: { choice: { type: 'string', enum: ['a', 'b'], enumNames: ['A', 'b'] } },
      },
    });
  });

  it('are no forms that the revision does not have', () => {
    const properties = { many: { type: 'array', items: { enum: ['a'] } } };
    expect(fitElicitation({ message: '', requestedSchema: { properties } }, '2025-06-18')).to.equal(
      undefined,
    );
  });

  it('are links with an id', () => {
    const link = fitElicitation({ mode: 'url', url: 'https://a.b', message: 'Go' }, '2025-11-25');
    expect(link).to.have.property('elicitationId').that.is.a('string');
    expect(link).to.deep.include({ mode: 'url', url: 'https://a.b', message: 'Go' });
  });

  it('give the model one block a message before 2025-11-25', () => {
    const params = { maxTokens: 1, messages: [{ role: 'user', content: [TEXT, AUDIO] }] };
    expect(fitSampling(params, '2025-11-25')).to.equal(params);
    expect(fitSampling(params, '2025-06-18')).to.deep.equal({
      maxTokens: 1,
      messages: [
        { role: 'user', content: TEXT },
        { role: 'user', content: AUDIO },
      ],
    });
  });
});
