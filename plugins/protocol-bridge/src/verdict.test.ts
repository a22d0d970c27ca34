import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createLog, parseEndpoint, type Credentials } from '@mcp-connect/core';
import { expect } from 'chai';
import { Verdict } from './verdict.js';

const NOBODY: Credentials = { headers: {} };
const ADA: Credentials = { headers: { authorization: 'Bearer secret-of-ada' } };
const log = createLog({ level: 'error', write: () => undefined });

describe('Verdict', () => {
  let stateDir: string;

  beforeEach(async () => (stateDir = await mkdtemp(join(tmpdir(), 'mcp-connect-'))));
  afterEach(() => rm(stateDir, { recursive: true }));

  const verdictOf = (address = 'http://a.example/mcp', folder: string | undefined = stateDir): Verdict =>
    new Verdict({ endpoint: parseEndpoint(address), log, stateDir: folder });

  async function keep(verdict: Verdict, credentials: Credentials): Promise<void> {
    verdict.read(credentials);
    verdict.refuses('legacy');
    verdict.keep();
    await verdict.written();
  }

  it('is there for the next run, for the same server and the same rights only', async () => {
    await keep(verdictOf(), ADA);
    expect(verdictOf().read(ADA)).to.equal('legacy');
    expect(verdictOf().read(NOBODY)).to.equal(undefined);
    expect(verdictOf('http://b.example/mcp').read(ADA)).to.equal(undefined);
  });

  it('is forgotten by all runs when it proves wrong', async () => {
    const verdict = verdictOf();
    await keep(verdict, NOBODY);
    verdict.drop();
    await verdict.written();
    expect(verdict.read(NOBODY)).to.equal(undefined);
    expect(verdictOf().read(NOBODY)).to.equal(undefined);
  });

  it('holds for a day', async () => {
    await keep(verdictOf(), NOBODY);
    const file = join(stateDir, 'eras.json');
    const kept = JSON.parse(await readFile(file, 'utf8')) as Record<string, { at: number }>;
    for (const entry of Object.values(kept)) entry.at -= 25 * 3_600_000;
    await writeFile(file, JSON.stringify(kept));
    expect(verdictOf().read(NOBODY)).to.equal(undefined);
  });

  it('names neither the server nor the credentials in its file', async () => {
    await keep(verdictOf('http://a.example/mcp?key=hidden-key'), ADA);
    const text = await readFile(join(stateDir, 'eras.json'), 'utf8');
    for (const word of ['secret-of-ada', 'hidden-key', 'a.example']) expect(text).to.not.contain(word);
  });

  it('does without a folder, and with a file that is broken', async () => {
    const verdict = new Verdict({ endpoint: parseEndpoint('http://a.example'), log, stateDir: undefined });
    await keep(verdict, NOBODY);
    expect(verdict.read(NOBODY)).to.equal('legacy');
    await writeFile(join(stateDir, 'eras.json'), '{"x": null');
    expect(verdictOf().read(NOBODY)).to.equal(undefined);
    await keep(verdictOf(), NOBODY);
    expect(verdictOf().read(NOBODY)).to.equal('legacy');
  });

  it('keeps the file small', async () => {
    const entries = Array.from({ length: 600 }, (_, at) => [
      `key-${at}`,
      { refuses: 'modern', at: Date.now() },
    ]);
    await writeFile(join(stateDir, 'eras.json'), JSON.stringify(Object.fromEntries(entries)));
    await keep(verdictOf(), NOBODY);
    const kept = JSON.parse(await readFile(join(stateDir, 'eras.json'), 'utf8')) as object;
    expect(Object.keys(kept)).to.have.length(500);
    expect(verdictOf().read(NOBODY)).to.equal('legacy');
  });
});
