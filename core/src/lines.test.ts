import { once } from 'node:events';
import { createServer, connect, type AddressInfo, type Socket } from 'node:net';
import { Writable } from 'node:stream';
import { expect } from 'chai';
import * as fc from 'fast-check';
import { LineSplitter, LineWriter } from './lines.js';
import type { Outline } from './scan.js';
import { deferred } from './scripted.test.js';

interface Split {
  readonly lines: string[];
  readonly oversize: { readonly outline: Outline; readonly length: number }[];
}

function split(chunks: readonly Buffer[], maxLength = 1_000_000): Split {
  const seen: Split = { lines: [], oversize: [] };
  const splitter = new LineSplitter({
    maxLength,
    online: (line) => void seen.lines.push(line.toString('latin1')),
    onoversize: (outline, length) => void seen.oversize.push({ outline, length }),
  });
  for (const chunk of chunks) void splitter.push(chunk);
  splitter.end();
  return seen;
}

function cut(bytes: Buffer, places: readonly number[]): Buffer[] {
  const offsets = places.map((place) => place % (bytes.length + 1)).sort((a, b) => a - b);
  return [...offsets, bytes.length].map((end, i) => bytes.subarray(offsets[i - 1] ?? 0, end));
}

const places = fc.array(fc.nat(), { maxLength: 12 });
const awkward = fc
  .array(
    fc.oneof(
      { weight: 3, arbitrary: fc.constantFrom('\n', '\r\n', '\r', ' ', '\ufeff', '"', '\\', '{', '}', '[') },
      { weight: 2, arbitrary: fc.constantFrom('é', '€', '😀', '"id":1', '"method":"a"', ',') },
      fc.string({ maxLength: 8 }),
    ),
    { maxLength: 60 },
  )
  .map((parts) => Buffer.from(parts.join('')));

describe('LineSplitter', () => {
  it('gives the same lines wherever the bytes are cut', () => {
    fc.assert(
      fc.property(fc.oneof(awkward, fc.uint8Array().map(Buffer.from)), places, (bytes, at) => {
        expect(split(cut(bytes, at))).to.deep.equal(split([bytes]));
      }),
    );
  });

  it('reports the same oversize lines wherever the bytes are cut', () => {
    fc.assert(
      fc.property(awkward, places, (bytes, at) => {
        expect(split(cut(bytes, at), 6)).to.deep.equal(split([bytes], 6));
      }),
    );
  });

  it('gives the lines one by one when every byte comes alone', () => {
    const bytes = Buffer.from('{"a":"é😀"}\r\n\n{"b":2}\n');
    const alone = split([...bytes].map((byte) => Buffer.from([byte])));
    expect(alone.lines.map((line) => Buffer.from(line, 'latin1').toString())).to.deep.equal([
      '{"a":"é😀"}',
      '{"b":2}',
    ]);
  });

  it('skips a byte order mark at the start only, blank lines and carriage returns', () => {
    const text = '\ufeff{"a":1}\r\n\r\n \t\n\n{"b":2}\n\ufeff{"c":3}';
    const lines = split([Buffer.from(text)]).lines.map((line) => Buffer.from(line, 'latin1').toString());
    expect(lines).to.deep.equal(['{"a":1}', '{"b":2}', '\ufeff{"c":3}']);
  });

  it('takes a last line without a newline as a line', () => {
    expect(split([Buffer.from('{"a":1}\n{"b"'), Buffer.from(':2}')]).lines).to.deep.equal([
      '{"a":1}',
      '{"b":2}',
    ]);
  });

  for (const [where, line] of [
    ['first', `{"jsonrpc":"2.0","id":"é","method":"m","params":{"id":9,"x":"${'x'.repeat(500)}"}}`],
    ['last', `{"params":{"id":9,"x":"${'x'.repeat(500)}"},"method":"m","jsonrpc":"2.0","id":"é"}`],
  ] as const) {
    it(`outlines a line over the limit whose id comes ${where}, and goes on with the next line`, () => {
      const bytes = Buffer.from(`${line}\n{"b":2}\n`);
      for (const chunks of [[bytes], cut(bytes, [1, 30, 90, 400, 480])]) {
        const { lines, oversize } = split(chunks, 100);
        expect(lines).to.deep.equal(['{"b":2}']);
        expect(oversize).to.have.length(1);
        expect(oversize[0]!.length).to.equal(Buffer.byteLength(line));
        expect(oversize[0]!.outline).to.include({ id: '"é"', method: '"m"', complete: true });
      }
    });
  }

  it('keeps nothing of a line over the limit', () => {
    const { lines, oversize } = split(
      Array.from({ length: 64 }, () => Buffer.alloc(65_536, 'x')),
      1_000,
    );
    expect(lines).to.deep.equal([]);
    expect(oversize[0]).to.include({ length: 64 * 65_536 });
  });

  it('passes a pause on to its source and goes on afterwards', async () => {
    const { promise, resolve } = deferred();
    const lines: string[] = [];
    const splitter = new LineSplitter({
      maxLength: 100,
      online: (line) => {
        lines.push(line.toString());
        return lines.length === 1 ? promise : undefined;
      },
      onoversize: () => undefined,
    });
    const pause = splitter.push(Buffer.from('1\n2\n3'));
    expect(pause).to.be.instanceOf(Promise);
    resolve();
    await pause;
    expect(splitter.push(Buffer.from('\n'))).to.equal(undefined);
    expect(lines).to.deep.equal(['1', '2', '3']);
  });

  it('splits one line of many chunks in linear time', () => {
    const chunks = Array.from({ length: 4_096 }, () => Buffer.alloc(4_096, 'x'));
    const whole = split([...chunks, Buffer.from('\n')], 64 * 1024 * 1024);
    expect(whole.lines[0]).to.have.length(4_096 * 4_096);
  });
});

describe('LineWriter', () => {
  it('writes the lines of one turn together and in order', async () => {
    const chunks: string[] = [];
    const stream = new Writable({
      write(chunk: Buffer, _encoding, done) {
        chunks.push(chunk.toString());
        done();
      },
    });
    const writer = new LineWriter(stream);
    for (const line of ['a', 'b', 'c']) void writer.write(Buffer.from(line));
    expect(chunks).to.deep.equal([]);
    await new Promise(setImmediate);
    void writer.write(Buffer.from('d'));
    writer.flush();
    expect(chunks).to.deep.equal(['a\nb\nc\n', 'd\n']);
  });

  it('changes nothing of what it was given, in whatever sizes and pieces that comes', () => {
    const size = fc.oneof(
      fc.nat(300),
      fc.integer({ min: 16_380, max: 16_390 }),
      fc.integer({ min: 32_760, max: 32_770 }),
      fc.integer({ min: 65_530, max: 65_540 }),
    );
    const line = fc.oneof({ weight: 3, arbitrary: size }, fc.array(size, { maxLength: 3 }));
    fc.assert(
      fc.property(fc.array(fc.tuple(line, fc.boolean()), { maxLength: 40 }), (lines) => {
        // What was handed over is kept, as by a stream whose reader is late: it must not be written to again.
        const written: Buffer[] = [];
        const stream = new Writable({
          write(chunk: Buffer, _encoding, done) {
            written.push(chunk);
            done();
          },
        });
        const writer = new LineWriter(stream);
        const expected: Buffer[] = [];
        let letter = 0;
        const piece = (length: number): Buffer => Buffer.alloc(length, 0x61 + (letter++ % 26));
        for (const [sizes, flushes] of lines) {
          const pieces = typeof sizes === 'number' ? piece(sizes) : sizes.map(piece);
          expected.push(...(Buffer.isBuffer(pieces) ? [pieces] : pieces), Buffer.from('\n'));
          void writer.write(pieces);
          if (flushes) writer.flush();
        }
        writer.flush();
        expect(Buffer.concat(written).equals(Buffer.concat(expected))).to.equal(true);
      }),
      { numRuns: 200 },
    );
  });

  it('lets much leave in the same turn, so that its reader need not wait for the rest', () => {
    const written: Buffer[] = [];
    const stream = new Writable({ write: (chunk: Buffer, _encoding, done) => (written.push(chunk), done()) });
    const writer = new LineWriter(stream);
    for (let n = 0; n < 1_000; n++) void writer.write(Buffer.alloc(199, 'x'));
    const left = Buffer.concat(written).length;
    expect(left).to.be.greaterThan(160_000);
    writer.flush();
    expect(Buffer.concat(written).length).to.equal(200_000);
  });

  it('tells who writes to wait while the reader lags behind, and when it has caught up', async () => {
    const held: (() => void)[] = [];
    const stream = new Writable({
      highWaterMark: 4,
      write: (_chunk, _encoding, done) => void held.push(done),
    });
    const writer = new LineWriter(stream);
    expect(writer.write(Buffer.from('longer than the mark'))).to.equal(undefined);
    writer.flush();
    const wait = writer.write(Buffer.from('next'));
    expect(wait).to.be.instanceOf(Promise);
    expect(writer.blocked).to.equal(wait);
    held.shift()!();
    await wait;
    expect(writer.blocked).to.equal(undefined);
    stream.destroy();
  });

  it('lets a window of bytes wait, and goes on when half of it has left', async () => {
    const held: (() => void)[] = [];
    const stream = new Writable({
      highWaterMark: 4,
      write: (_chunk, _encoding, done) => void held.push(done),
    });
    const writer = new LineWriter(stream, 100);
    const write = (length: number): void => {
      void writer.write(Buffer.alloc(length, 'x'));
      writer.flush();
    };
    for (let n = 0; n < 10; n++) write(9);
    expect(writer.blocked).to.equal(undefined);
    write(9);
    const wait = writer.blocked;
    expect(wait).to.be.instanceOf(Promise);
    let released = false;
    void wait!.then(() => (released = true));
    while (stream.writableLength > 50) {
      expect(released).to.equal(false);
      held.shift()!();
      await new Promise(setImmediate);
    }
    expect(released).to.equal(true);
    expect(writer.blocked).to.equal(undefined);
    stream.destroy();
  });

  it('has whoever waits hold no more than the window for a reader that never reads', async () => {
    const { server, client, accepted } = await socketPair();
    const window = 1_000_000;
    const writer = new LineWriter(client, window);
    accepted.pause();
    try {
      let last = 0;
      // The kernel takes what it likes; then nothing leaves any more.
      while (writer.blocked === undefined) {
        last = client.writableLength;
        void writer.write(Buffer.alloc(50_000, 'x'));
        writer.flush();
        await new Promise(setImmediate);
      }
      expect(last).to.be.at.most(window);
      const wait = writer.blocked;
      client.destroy();
      await wait;
      expect(writer.blocked).to.equal(undefined);
    } finally {
      client.destroy();
      accepted.destroy();
      server.close();
    }
  });

  it('lets go of who waits when the stream is gone, and drops what comes after', async () => {
    const stream = new Writable({ highWaterMark: 1, write: () => undefined });
    const writer = new LineWriter(stream);
    void writer.write(Buffer.from('stuck'));
    writer.flush();
    const wait = writer.write(Buffer.from('next'));
    stream.destroy();
    await wait;
    expect(writer.write(Buffer.from('late'))).to.equal(undefined);
    writer.flush();
  });

  it('keeps order and memory over a socket whose reader starts late', async () => {
    const { server, client, accepted } = await socketPair();
    try {
      const writer = new LineWriter(client);
      const filler = 'x'.repeat(100_000);
      const write = (n: number): Promise<void> | undefined =>
        writer.write(Buffer.from(`${n % 2 === 0 ? 'short' : filler} ${n}`));
      let written = 0;
      let wait: Promise<void> | undefined;
      // Without a reader the kernel's buffers fill up, and the writer says so.
      for (; wait === undefined && written < 2_000; written++) {
        wait = write(written);
        writer.flush();
      }
      expect(wait).to.be.instanceOf(Promise);
      expect(written).to.be.lessThan(2_000);
      const numbers: number[] = [];
      const splitter = new LineSplitter({
        maxLength: 200_000,
        online: (line) => void numbers.push(Number(line.toString().split(' ')[1])),
        onoversize: () => undefined,
      });
      accepted.on('data', (chunk: Buffer) => void splitter.push(chunk));
      await wait;
      const total = written + 200;
      for (let n = written; n < total; n++) {
        await write(n);
        writer.flush();
      }
      client.end();
      await once(accepted, 'end');
      expect(numbers).to.deep.equal(Array.from({ length: total }, (_, n) => n));
    } finally {
      client.destroy();
      accepted.destroy();
      server.close();
    }
  });
});

async function socketPair(): Promise<{
  server: ReturnType<typeof createServer>;
  client: Socket;
  accepted: Socket;
}> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const connection = once(server, 'connection') as Promise<[Socket]>;
  const client = connect((server.address() as AddressInfo).port, '127.0.0.1');
  const [accepted] = await connection;
  return { server, client, accepted };
}
