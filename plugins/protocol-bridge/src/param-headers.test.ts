import { expect } from 'chai';
import { declarationsIn } from './param-headers.js';

const region = { type: 'string', 'x-mcp-header': 'Region' };

/** A schema with these arguments. */
function schemaOf(properties: object, more: object = {}): object {
  return { type: 'object', properties, ...more };
}

describe('declarationsIn', () => {
  it('finds annotated arguments at any depth', () => {
    const schema = schemaOf({
      plain: { type: 'string' },
      region,
      place: schemaOf({ zone: { type: 'integer', 'x-mcp-header': 'X-Zone' } }),
      properties: schemaOf({ properties: { type: 'boolean', 'x-mcp-header': 'Deep' } }),
    });
    expect(declarationsIn(schema)).to.deep.equal([
      { header: 'Region', path: ['region'] },
      { header: 'X-Zone', path: ['place', 'zone'] },
      { header: 'Deep', path: ['properties', 'properties'] },
    ]);
  });

  it('finds nothing where nothing is annotated', () => {
    const data = { type: 'string', default: { 'x-mcp-header': '' }, enum: [{ 'x-mcp-header': 1 }] };
    for (const schema of [undefined, true, {}, schemaOf({ data })])
      expect(declarationsIn(schema)).to.deep.equal([]);
  });

  const INVALID: Readonly<Record<string, object>> = {
    'an empty name': schemaOf({ a: { type: 'string', 'x-mcp-header': '' } }),
    'a name that is no text': schemaOf({ a: { type: 'string', 'x-mcp-header': 7 } }),
    'a blank in the name': schemaOf({ a: { type: 'string', 'x-mcp-header': 'My Region' } }),
    'a line break in the name': schemaOf({ a: { type: 'string', 'x-mcp-header': 'a\r\nb' } }),
    'letters beyond ASCII': schemaOf({ a: { type: 'string', 'x-mcp-header': 'Région' } }),
    'a name that is there twice': schemaOf({ region, a: { type: 'string', 'x-mcp-header': 'rEGION' } }),
    'an object': schemaOf({ a: { type: 'object', 'x-mcp-header': 'A' } }),
    'an array': schemaOf({ a: { type: 'array', 'x-mcp-header': 'A' } }),
    'a number that need not be whole': schemaOf({ a: { type: 'number', 'x-mcp-header': 'A' } }),
    'no type': schemaOf({ a: { 'x-mcp-header': 'A' } }),
    'the arguments as a whole': { type: 'string', 'x-mcp-header': 'A' },
    'items of a list': schemaOf({ a: { type: 'array', items: region } }),
    'one of several forms': schemaOf({}, { anyOf: [schemaOf({ region })] }),
    'a condition': schemaOf({}, { if: schemaOf({ region }) }),
    'a definition': schemaOf({}, { $defs: { region } }),
    'names that are not fixed': schemaOf({}, { additionalProperties: region }),
  };
  for (const [what, schema] of Object.entries(INVALID)) {
    it(`says what is wrong with an annotation on ${what}`, () => {
      expect(declarationsIn(schema)).to.be.a('string');
    });
  }
});
