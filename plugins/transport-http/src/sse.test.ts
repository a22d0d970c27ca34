import { expect } from 'chai';
import fc from 'fast-check';
import { SseParser } from './sse.js';

interface Seen {
  readonly events: { event: string; data: string }[];
  readonly lastEventId: string | undefined;
  readonly retry: number | undefined;
}

/** Reads `chunks` as one stream. */
function read(chunks: readonly Buffer[], end = true): Seen {
  const events: Seen['events'] = [];
  const parser = new SseParser({
    maxLength: 1_000_000,
    onmessage: ({ bytes }) => events.push({ event: 'message', data: bytes.toString('latin1') }),
    onevent: ({ event, data }) => events.push({ event, data: Buffer.concat(data).toString('latin1') }),
    onoversize: () => expect.fail('nothing here is too large'),
  });
  for (const chunk of chunks) parser.push(chunk);
  if (end) parser.end();
  return { events, lastEventId: parser.lastEventId, retry: parser.retry };
}

const readText = (text: string, end?: boolean): Seen => read([Buffer.from(text)], end);

/**
 * WHATWG HTML section 9.2.6 word for word, on a whole stream. It differs from a browser where MCP does: an event with
 * empty data is none, and an event that lacks only its blank line is kept, though not its id.
 */
function reference(bytes: Buffer): Seen {
  const lines = bytes
    .toString('latin1')
    .replace(/^\u00ef\u00bb\u00bf/, '')
    .split(/\r\n|\n|\r/);
  const unfinished = lines.pop() ?? '';
  const events: Seen['events'] = [];
  let [event, data, id, lastEventId] = ['', '', '', ''];
  let retry: number | undefined;
  const field = (name: string, value: string): void => {
    if (name === 'event') event = Buffer.from(value, 'latin1').toString();
    if (name === 'data') data += `${value}\n`;
    if (name === 'id' && /^[\t -~\x80-\xff]*$/.test(value)) id = value;
    if (name === 'retry' && /^[0-9]+$/.test(value)) retry = Number(value);
  };
  const line = (text: string): void => {
    const colon = text.indexOf(':');
    if (colon === 0) return;
    if (colon === -1) field(text, '');
    else field(text.slice(0, colon), text.slice(colon + 1).replace(/^ /, ''));
  };
  const dispatch = (): void => {
    if (data.length > 1) events.push({ event: event || 'message', data: data.slice(0, -1) });
    [event, data] = ['', ''];
  };
  for (const text of lines) {
    if (text !== '') line(text);
    else {
      lastEventId = id;
      dispatch();
    }
  }
  if (unfinished !== '') line(unfinished);
  dispatch();
  return { events, lastEventId: lastEventId || undefined, retry };
}

/** Streams made of what the grammar is made of, and of anything else. */
const STREAM = fc
  .array(
    fc.oneof(
      {
        weight: 8,
        arbitrary: fc.constantFrom('data', 'data:', 'data: ', 'event:', 'id:', 'id', 'retry:', ':'),
      },
      {
        weight: 4,
        arbitrary: fc.constantFrom('event: message', 'event: message\ndata: {"a":1}\n\n', 'data: {}\r\n\r\n'),
      },
      { weight: 8, arbitrary: fc.constantFrom('\n', '\r', '\r\n', '\n\n', '\r\r', '\r\n\r\n') },
      {
        weight: 4,
        arbitrary: fc.constantFrom(' ', '7', '25', '\0', '\x01', '\ufeff', 'é', '😀', 'message', '{"a":1}'),
      },
      { weight: 1, arbitrary: fc.string({ unit: 'binary', maxLength: 8 }) },
    ),
    { maxLength: 60 },
  )
  .map((pieces) => Buffer.from(pieces.join('')));

function cutAt(bytes: Buffer, places: readonly number[]): Buffer[] {
  const sorted = [...places].map((place) => place % (bytes.length + 1)).sort((a, b) => a - b);
  return [0, ...sorted].map((from, index) => bytes.subarray(from, sorted[index] ?? bytes.length));
}

describe('SseParser', () => {
  it('reads a stream cut anywhere as it reads the whole, and as the standard says', () => {
    fc.assert(
      fc.property(STREAM, fc.array(fc.nat(), { maxLength: 20 }), (bytes, places) => {
        const whole = read([bytes]);
        expect(whole).to.deep.equal(reference(bytes));
        expect(read(cutAt(bytes, places))).to.deep.equal(whole);
      }),
      { numRuns: 2_000 },
    );
  });

  it('reads a stream byte by byte as it reads the whole', () => {
    fc.assert(
      fc.property(STREAM, (bytes) => {
        expect(read(cutAt(bytes, [...bytes.keys()]))).to.deep.equal(read([bytes]));
      }),
      { numRuns: 500 },
    );
  });

  for (const [name, text, data] of [
    ['LF', 'data: a\ndata: b\n\n', ['a\nb']],
    ['CR', 'data: a\rdata: b\r\r', ['a\nb']],
    ['CRLF', 'data: a\r\ndata: b\r\n\r\n', ['a\nb']],
    ['a byte order mark', '\ufeffdata: a\n\n', ['a']],
    ['comments', ': keep-alive\n\n:\ndata: a\n: more\n\n', ['a']],
    ['a colon without a space', 'data:a\n\n', ['a']],
    ['two spaces behind the colon', 'data:  a\n\n', [' a']],
    ['colons in the value', 'data: {"a":1}\n\n', ['{"a":1}']],
    ['fields without a colon', 'data\ndata\n\n', ['\n']],
    ['unknown fields', 'datas: a\nDATA: b\n data: c\n\n', []],
    ['empty data', 'id: 1\ndata:\n\n', []],
    ['an event without a name', 'event:\ndata: a\n\n', ['a']],
  ] as const) {
    it(`takes ${name}`, () => {
      expect(readText(text).events).to.deep.equal(data.map((value) => ({ event: 'message', data: value })));
    });
  }

  it('gives an event its name, and the next one none', () => {
    const { events } = readText('event: endpoint\ndata: /a\n\ndata: b\n\n');
    expect(events).to.deep.equal([
      { event: 'endpoint', data: '/a' },
      { event: 'message', data: 'b' },
    ]);
  });

  it('drops the name of an event without data', () => {
    expect(readText('event: ping\n\ndata: a\n\n').events).to.deep.equal([{ event: 'message', data: 'a' }]);
  });

  describe('ids', () => {
    for (const [name, text, id] of [
      ['keeps the last one', 'id: 1\ndata: a\n\nid: 2\ndata: b\n\n', '2'],
      ['keeps that of an event without data', 'id: 1\ndata:\n\n', '1'],
      ['keeps it through events without one', 'id: 1\ndata: a\n\ndata: b\n\n', '1'],
      ['forgets it when an empty one follows', 'id: 1\ndata: a\n\nid:\ndata: b\n\n', undefined],
      ['ignores one with NUL', 'id: 1\n\nid: a\0b\n\n', '1'],
      ['ignores one that no header can hold', 'id: 1\n\nid: a\x01b\n\n', '1'],
      ['does not count that of an event whose end is missing', 'id: 1\ndata: a\n\nid: 2\ndata: b\n', '1'],
    ] as const) {
      it(name, () => expect(readText(text).lastEventId).to.equal(id));
    }

    it('keeps the bytes of one beyond ASCII, as a header carries them', () => {
      const { lastEventId } = readText('id: ☃\n\n');
      expect(Buffer.from(lastEventId ?? '', 'latin1').toString()).to.equal('☃');
    });
  });

  describe('retry', () => {
    for (const [text, retry] of [
      ['retry: 250\n\n', 250],
      ['retry: 0\n\n', 0],
      ['retry: soon\n\n', undefined],
      ['retry: -1\n\n', undefined],
      ['retry: 1.5\n\n', undefined],
      ['retry:\n\n', undefined],
      ['retry: 99999999999999999999\n\n', 2_147_483_647],
    ] as const) {
      it(`reads ${JSON.stringify(text)}`, () => expect(readText(text).retry).to.equal(retry));
    }
  });

  describe('at the end of the stream', () => {
    it('keeps an event that lacks its blank line', () => {
      expect(readText('data: a\n', false).events).to.deep.equal([]);
      expect(readText('data: a\n').events).to.deep.equal([{ event: 'message', data: 'a' }]);
    });

    it('keeps an event that lacks even its line ending', () => {
      expect(readText('data: a').events).to.deep.equal([{ event: 'message', data: 'a' }]);
    });

    it('makes nothing out of nothing', () => {
      for (const text of ['', '\ufeff', ': bye', '\n\n', 'event: x\n'])
        expect(readText(text).events).to.deep.equal([]);
    });
  });

  describe('above the limit', () => {
    const LIMIT = 1_000;
    const LARGE = `{"jsonrpc":"2.0","id":7,"result":{"text":"${'x'.repeat(5 * LIMIT)}"}}`;

    function limited(chunks: readonly Buffer[]): string[] {
      const seen: string[] = [];
      const parser = new SseParser({
        maxLength: LIMIT,
        onmessage: ({ bytes }) => seen.push(bytes.toString()),
        onevent: ({ data }) => seen.push(Buffer.concat(data).toString()),
        onoversize: ({ id, hasResult }, length) => seen.push(`${id} ${hasResult} ${length >= LARGE.length}`),
      });
      for (const chunk of chunks) parser.push(chunk);
      parser.end();
      return seen;
    }

    it('outlines an event and goes on with the next', () => {
      const bytes = Buffer.from(`data: a\n\nid: 3\ndata: ${LARGE}\n\ndata: b\n\n`);
      fc.assert(
        fc.property(fc.array(fc.nat(), { maxLength: 20 }), (places) => {
          expect(limited(cutAt(bytes, places))).to.deep.equal(['a', '7 true true', 'b']);
        }),
        { numRuns: 200 },
      );
    });

    it('outlines an event of many lines', () => {
      const lines = Array.from(LARGE, (character) => `data: ${character}`).join('\n');
      expect(limited([Buffer.from(`${lines}\n\ndata: b\n\n`)]))
        .to.have.lengthOf(2)
        .and.include('b');
    });

    it('outlines an event that the stream ends in', () => {
      expect(limited([Buffer.from(`data: ${LARGE}`)])).to.deep.equal(['7 true true']);
    });

    it('takes data of just the limit and none above it, wherever the bytes are cut', () => {
      const message = (size: number): string => {
        const text = '{"jsonrpc":"2.0","id":7,"result":{"text":""}}';
        return text.replace('""', `"${'x'.repeat(size - text.length)}"`);
      };
      for (const [data, expected] of [
        [message(LIMIT), message(LIMIT)],
        [message(LIMIT + 1), '7 true false'],
      ] as const) {
        const bytes = Buffer.from(`data: ${data}\n\ndata: b\n\n`);
        for (let at = 0; at < bytes.length; at++)
          expect(limited([bytes.subarray(0, at), bytes.subarray(at)])).to.deep.equal([expected, 'b']);
      }
    });
  });

  it('puts 16 MiB together from 16 385 pieces', () => {
    const size = 16 * 1_048_576;
    const bytes = Buffer.concat([Buffer.from('data: '), Buffer.alloc(size, 'x'), Buffer.from('\n\n')]);
    const lengths: number[] = [];
    let pushes = 0;
    const parser = new SseParser({
      maxLength: 2 * size,
      onmessage: () => expect.fail('it is no message'),
      onevent: ({ data }) => lengths.push(Buffer.concat(data).length),
      onoversize: () => expect.fail('it is not too large'),
    });
    for (let at = 0; at < bytes.length; at += 1_024, pushes++) parser.push(bytes.subarray(at, at + 1_024));
    expect(pushes).to.equal(16_385);
    expect(lengths).to.deep.equal([size]);
  });
});
