import { once } from 'node:events';
import { get, type IncomingMessage } from 'node:http';
import { createServer, type AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { expect } from 'chai';
import * as fc from 'fast-check';
import { HttpSyntaxError, ResponseParser } from './response-parser.js';

interface Seen {
  readonly status: number;
  readonly headers: Record<string, unknown>;
  body: string;
  /** Undefined while it is not whole. */
  reusable: boolean | undefined;
}

interface Outcome {
  readonly seen: Seen[];
  readonly failed: boolean;
}

/** Feeds bytes, and then the end of the connection. */
function parse(chunks: readonly Buffer[], ended = true): Outcome {
  const seen: Seen[] = [];
  const parser = new ResponseParser({
    onhead: ({ status, headers }) =>
      void seen.push({ status, headers: { ...headers }, body: '', reusable: undefined }),
    onbody: (bytes) => {
      expect(bytes.length).to.be.greaterThan(0);
      seen.at(-1)!.body += bytes.toString('latin1');
    },
    onend: (reusable) => (seen.at(-1)!.reusable = reusable),
  });
  try {
    for (const chunk of chunks) parser.push(chunk);
    if (ended) parser.finish();
  } catch (error) {
    expect(error).to.be.instanceOf(HttpSyntaxError);
    return { seen, failed: true };
  }
  return { seen, failed: false };
}

const parseText = (text: string, ended = true): Outcome => parse([Buffer.from(text, 'latin1')], ended);

function cut(bytes: Buffer, places: readonly number[]): Buffer[] {
  const offsets = places.map((place) => place % (bytes.length + 1)).sort((a, b) => a - b);
  return [...offsets, bytes.length].map((end, i) => bytes.subarray(offsets[i - 1] ?? 0, end));
}

// ── Responses of every kind ────────────────────────────────────────────────────────────────────────────────────

interface Kind {
  /** Whether only the end of the connection ends it. */
  readonly open: boolean;
  readonly text: string;
}

/** Text of bytes, as Latin-1. */
const latin1 = (maxLength: number, fits: (code: number) => boolean = () => true): fc.Arbitrary<string> =>
  fc.uint8Array({ maxLength }).map((bytes) => Buffer.from(bytes.filter(fits)).toString('latin1'));
const value = latin1(12, (code) => code === 0x09 || (code >= 0x20 && code !== 0x7f));
const fields = fc.array(
  fc.tuple(
    fc.constantFrom(
      'x-a',
      'X-A',
      'x-b',
      'set-cookie',
      'Set-Cookie',
      'content-type',
      'location',
      'etag',
      'vary',
    ),
    fc.constantFrom('', ' ', '\t '),
    value,
  ),
  { maxLength: 4 },
);
const connection = fc.constantFrom(
  undefined,
  'keep-alive',
  'close',
  'Keep-Alive, CLOSE',
  'x, Keep-Alive',
  'closed',
);
const payload = fc.oneof(
  latin1(30),
  fc.constantFrom('\r\n\r\n', '\n\n{}\n\n', '0\r\n\r\n', 'HTTP/1.1 200 OK\r\n\r\n'),
);
const chunked = fc
  .record({
    parts: fc.array(payload, { maxLength: 4 }),
    extension: fc.constantFrom('', ';a=b', ' ; a="é"'),
    large: fc.boolean(),
    trailer: fc.constantFrom([], ['x-sum: 1'], ['content-length: 9', 'x: y']),
  })
  .map(({ parts, extension, large, trailer }) => (end: string) => {
    const size = (text: string): string =>
      large ? `0${text.length.toString(16).toUpperCase()}` : text.length.toString(16);
    const chunks = parts
      .filter((text) => text !== '')
      .map((text) => size(text) + extension + end + text + end);
    return `${chunks.join('')}0${extension}${end}${trailer.map((line) => line + end).join('')}${end}`;
  });

/** Makes responses whose lines end as told. */
const responseWith = (eol: fc.Arbitrary<string>): fc.Arbitrary<Kind> =>
  fc
    .record({
      eol,
      before: fc.constantFrom([], ['HTTP/1.1 100 Continue'], ['HTTP/1.1 103 Early Hints', 'Link: </a>']),
      blank: fc.boolean(),
      minor: fc.constantFrom('1', '1', '0'),
      status: fc.constantFrom('200', '200', '202', '204', '304', '404', '500', '999'),
      reason: fc.constantFrom('', ' ', ' OK', ' Not  at all\xe9'),
      fields,
      folded: fc.boolean(),
      connection,
      body: fc.oneof(
        payload.map((text) => ({ kind: 'length' as const, text })),
        payload.map((text) => ({ kind: 'open' as const, text })),
        chunked.map((text) => ({ kind: 'chunked' as const, text })),
      ),
    })
    .map((parts) => {
      const { eol: end, body, status } = parts;
      const bodiless = status === '204' || status === '304';
      const lines = [
        `HTTP/1.${parts.minor} ${status}${parts.reason}`,
        ...parts.fields.map(([name, blanks, text]) => `${name}:${blanks}${text}`),
        ...(parts.folded ? ['x-folded: a', '  b', '\tc '] : []),
        ...(parts.connection === undefined ? [] : [`Connection: ${parts.connection}`]),
        ...(!bodiless && body.kind === 'length' ? [`Content-Length: ${body.text.length}`] : []),
        ...(!bodiless && body.kind === 'chunked' ? ['Transfer-Encoding: Chunked'] : []),
      ];
      const text = bodiless ? '' : body.kind === 'chunked' ? body.text(end) : body.text;
      const interim = parts.before.length === 0 ? [] : [...parts.before, ''];
      return {
        open: !bodiless && body.kind === 'open',
        text: `${parts.blank ? end : ''}${[...interim, ...lines, '', text].join(end)}`,
      };
    });

const response = responseWith(fc.constantFrom('\r\n', '\n'));

/** Several in a row; what only the end of the connection ends is the last. */
const row = fc.array(response, { minLength: 1, maxLength: 3 }).map((kinds) => {
  const open = kinds.findIndex((kind) => kind.open);
  return open === -1 ? kinds : kinds.slice(0, open + 1);
});

const toBytes = (kinds: readonly Kind[]): Buffer =>
  Buffer.from(kinds.map(({ text }) => text).join(''), 'latin1');

describe('ResponseParser', () => {
  it('reads the same responses wherever the bytes are cut', () => {
    fc.assert(
      fc.property(row, fc.array(fc.nat(), { maxLength: 8 }), (kinds, places) => {
        const bytes = toBytes(kinds);
        const whole = parse([bytes]);
        expect(whole.failed).to.equal(false);
        expect(whole.seen).to.have.lengthOf(kinds.length);
        expect(parse(cut(bytes, places))).to.deep.equal(whole);
        expect(parse([...bytes].map((byte) => Buffer.of(byte)))).to.deep.equal(whole);
      }),
      { numRuns: 300 },
    );
  });

  it('reads damaged responses the same wherever the bytes are cut', () => {
    fc.assert(
      fc.property(
        row,
        fc.array(fc.tuple(fc.nat(), fc.constantFrom('\r', '\n', '\0', ' ', ':', ';', '0', 'f', 'g')), {
          minLength: 1,
          maxLength: 3,
        }),
        fc.array(fc.nat(), { maxLength: 8 }),
        (kinds, damage, places) => {
          const bytes = toBytes(kinds);
          for (const [place, byte] of damage) bytes.write(byte, place % bytes.length, 'latin1');
          expect(parse(cut(bytes, places))).to.deep.equal(parse([bytes]));
        },
      ),
      { numRuns: 300 },
    );
  });

  it('takes a response that is cut anywhere for a fault, unless the end of the connection ends it', () => {
    fc.assert(
      fc.property(response, fc.nat(), ({ open, text }, place) => {
        const at = place % text.length;
        const head = /\n\r?\n/g;
        // Behind the heads of what comes before it and of itself.
        head.lastIndex = text.search(/HTTP\/1\.[01] [2-9]/);
        const { index, 0: end } = head.exec(text)!;
        const { seen, failed } = parseText(text.slice(0, at));
        if (open && at >= index + end.length) expect(failed).to.equal(false);
        else if (failed) expect(seen.every(({ reusable }) => reusable === undefined)).to.equal(true);
        // Between responses nothing is missing.
        else expect(seen).to.deep.equal([]);
      }),
      { numRuns: 500 },
    );
  });

  it('agrees with node:http on all that both accept', async () => {
    const texts = new Map<string, string>();
    const server = createServer((socket) => {
      socket.once('data', (request) => {
        const [, path] = request.toString().split(' ');
        socket.end(Buffer.from(texts.get(path!)!, 'latin1'));
      });
      socket.on('error', () => undefined);
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const ask = async (path: string): Promise<Omit<Seen, 'reusable'> | undefined> => {
      try {
        const request = get({ host: '127.0.0.1', port, path, agent: false });
        // Also behind its head, a fault is told of here.
        request.on('error', () => undefined);
        const [message] = (await once(request, 'response')) as [IncomingMessage];
        const body = await buffer(message);
        return { status: message.statusCode!, headers: message.headers, body: body.toString('latin1') };
      } catch {
        return undefined;
      }
    };
    let both = 0;
    let path = 0;
    try {
      await fc.assert(
        fc.asyncProperty(
          responseWith(fc.constant('\r\n')),
          fc.option(fc.tuple(fc.nat(), fc.constantFrom(' ', 'f', ':')), { freq: 1 }),
          async (kind, hit) => {
            const bytes = toBytes([kind]);
            if (hit !== null) bytes.write(hit[1], hit[0] % bytes.length, 'latin1');
            const url = `/${path++}`;
            texts.set(url, bytes.toString('latin1'));
            const theirs = await ask(url);
            const { seen, failed } = parse([bytes]);
            if (theirs === undefined || failed) return;
            both++;
            const { reusable: _, ...ours } = seen[0]!;
            expect(ours).to.deep.equal({ ...theirs, headers: { ...theirs.headers } });
          },
        ),
        { numRuns: 200 },
      );
    } finally {
      server.close();
    }
    expect(both).to.be.greaterThan(60);
  });

  const OK = 'HTTP/1.1 200 OK\r\n';
  const CODED = `${OK}transfer-encoding: chunked\r\n\r\n`;
  const FULL = 'x'.repeat(65_536);
  for (const [what, text] of Object.entries({
    'two lengths': `${OK}content-length: 1\r\nContent-Length: 2\r\n\r\nab`,
    'two lengths in one field': `${OK}content-length: 1, 1\r\n\r\na`,
    'a length and a coding': `${OK}content-length: 1\r\ntransfer-encoding: chunked\r\n\r\n1\r\na\r\n0\r\n\r\n`,
    'a negative length': `${OK}content-length: -1\r\n\r\n`,
    'a length with a sign': `${OK}content-length: +5\r\n\r\nabcde`,
    'a length in hexadecimal': `${OK}content-length: 0x5\r\n\r\nabcde`,
    'a length beyond all numbers': `${OK}content-length: 9999999999999999\r\n\r\n`,
    'an empty length': `${OK}content-length:\r\n\r\n`,
    'a length that goes on in the next line': `${OK}content-length: 1\r\n 0\r\n\r\n`,
    'no size of a chunk': `${CODED}\r\n`,
    'a size of a chunk that is no number': `${CODED}g\r\n`,
    'a size of a chunk with a sign': `${CODED}-1\r\n`,
    'a size of a chunk with a prefix': `${CODED}0x5\r\nabcde\r\n`,
    'a size of a chunk beyond all numbers': `${CODED}${'f'.repeat(17)}\r\n`,
    'a carriage return within the line of a chunk': `${CODED}1;a\rb\r\nx\r\n`,
    'a chunk that is longer than it says': `${CODED}3\r\nabcd`,
    'a chunk without its line end': `${CODED}1\r\na0\r\n`,
    'a line of a chunk without end': `${CODED}1;${FULL}`,
    'a trailer without end': `${CODED}0\r\n${'x: y\r\n'.repeat(11_000)}`,
    'a head without end': `${OK}x: ${FULL}`,
    'a status line without end': `HTTP/1.1 200 ${FULL}`,
    'another protocol': 'HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\n\r\n',
    'a status that is none': 'HTTP/1.1 099 Low\r\n\r\n',
    'a status of two digits': 'HTTP/1.1 20 OK\r\n\r\n',
    'a version that is none': 'HTTP/1.2 200 OK\r\n\r\n',
    'HTTP/2': 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n',
    'frames of HTTP/2': '\0\0\x12\x04\0\0\0\0\0\0\n\n',
    'the greeting of a mail server': '220 smtp ready\r\n\r\n',
    'a blank behind a name': `${OK}content-length : 0\r\n\r\n`,
    'a blank before the first name': `${OK} x: y\r\n\r\n`,
    'a name that is empty': `${OK}: y\r\n\r\n`,
    'a name with a blank': `${OK}x y: z\r\n\r\n`,
    'a line without a colon': `${OK}nonsense\r\n\r\n`,
    'NUL in a field': `${OK}x: a\0b\r\n\r\n`,
    'a carriage return in a field': `${OK}x: a\rcontent-length: 0\r\n\r\n`,
  })) {
    it(`refuses ${what} as soon as it is seen`, () => {
      expect(parseText(text, false).failed).to.equal(true);
      expect(parse(cut(Buffer.from(text, 'latin1'), [7, 40, 41, text.length - 1]), false).failed).to.equal(
        true,
      );
    });
  }

  it('lets a connection go on only where the server agrees', () => {
    for (const [head, expected] of [
      ['HTTP/1.1 204 No\r\n', true],
      ['HTTP/1.1 204 No\r\nconnection: upgrade, Close\r\n', false],
      ['HTTP/1.0 204 No\r\n', false],
      ['HTTP/1.0 204 No\r\nconnection: Keep-Alive\r\n', true],
      ['HTTP/1.1 200 OK\r\n', false],
    ] as const) {
      expect(parseText(`${head}\r\n`).seen[0]!.reusable, head).to.equal(expected);
    }
    // Who sends a coding that its version does not know may not mean it.
    const old = 'HTTP/1.0 200 OK\r\nconnection: keep-alive\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n';
    expect(parseText(old).seen[0]!.reusable).to.equal(false);
  });

  it('keeps what is set apart, and bytes beyond ASCII', () => {
    const { headers } = parseText(
      `${OK}set-cookie: a=1, 2\r\nSet-Cookie: b\r\nlocation: /\xc3\xa0\r\ncontent-length: 0\r\n\r\n`,
    ).seen[0]!;
    expect(headers).to.deep.include({ 'set-cookie': ['a=1, 2', 'b'], location: '/\xc3\xa0' });
  });

  it('takes time linear in the bytes, in however many pieces they come', () => {
    const usage = (run: () => void): number => {
      const before = process.cpuUsage();
      run();
      return process.cpuUsage(before).user / 1000;
    };
    const drip = [...Buffer.from(`${OK}x: ${FULL.slice(100)}`)].map((byte) => Buffer.of(byte));
    // Ten thousand chunks in one piece.
    const small = Buffer.from(`${CODED}${'1\r\nx\r\n'.repeat(10_000)}0\r\n\r\n`);
    expect(usage(() => expect(parse(drip, false).failed).to.equal(false))).to.be.lessThan(1_000);
    expect(usage(() => expect(parse([small]).seen[0]!.body).to.have.lengthOf(10_000))).to.be.lessThan(500);
  });
});
