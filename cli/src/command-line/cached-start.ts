// Loads the bundle of a plain start with the code that V8 has compiled for it in an earlier run: compiling takes as long
// as all the rest of a start. `bin/run.js` requires the bundled form of this file.
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
  type Stats,
} from 'node:fs';
import { homedir } from 'node:os';
import { dirname, isAbsolute, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { Script } from 'node:vm';

/** Names what the bundle holds; put in by `bundle.ts`. Compiled code fits one content alone. */
declare const BUNDLE_ID: string;

/** Compiled code of other versions that is kept; the oldest goes. */
const MOST_KEPT = 4;
const SUFFIX = '.bin';
/** Bytes of the number in front of the index. */
const NUMBER = 4;

interface Module {
  exports: Record<string, unknown>;
}

type Wrapper = (
  exports: Module['exports'],
  require: (name: string) => unknown,
  module: Module,
  importModule: (name: string) => Promise<unknown>,
  moduleUrl: string,
) => void;

/** Compiled code by the name of its file. */
type Compiled = ReadonlyMap<string, Buffer>;

/** The files of the bundle, which find each other here and everything else as usual. */
class Bundle {
  readonly #folder: string;
  readonly #require: NodeJS.Require;
  readonly #compiled: Compiled;
  /** The address of the module whose place the bundle takes. */
  readonly #url: string;
  readonly #modules = new Map<string, Module>();
  readonly #scripts = new Map<string, Script>();
  /** True while all that was loaded had been compiled before. */
  complete = true;

  constructor(folder: string, ownRequire: NodeJS.Require, compiled: Compiled) {
    this.#folder = folder;
    this.#require = ownRequire;
    this.#compiled = compiled;
    this.#url = pathToFileURL(join(folder, '../command-line/start.js')).href;
  }

  load(name: string): Module['exports'] {
    const known = this.#modules.get(name);
    if (known !== undefined) return known.exports;
    const module: Module = { exports: {} };
    this.#modules.set(name, module);
    const find = (wanted: string): unknown =>
      wanted.startsWith('./') ? this.load(wanted.slice(2)) : this.#require(wanted);
    this.#script(name)(module.exports, find, module, (wanted) => import(wanted), this.#url);
    return module.exports;
  }

  #script(name: string): Wrapper {
    const filename = join(this.#folder, name);
    const text = readFileSync(filename, 'latin1');
    const cachedData = this.#compiled.get(name);
    const script = new Script(`(function(exports,require,module,importModule,moduleUrl){${text}\n})`, {
      filename,
      ...(cachedData !== undefined && { cachedData }),
    });
    if (script.cachedDataRejected !== false) this.complete = false;
    this.#scripts.set(name, script);
    return script.runInThisContext() as Wrapper;
  }

  /** What V8 has compiled in this run and in those before: a number, an index of that length, and the code. */
  compiled(): Buffer {
    const all = new Map(this.#compiled);
    for (const [name, script] of this.#scripts) all.set(name, script.createCachedData());
    const parts = [...all];
    const index = Buffer.from(JSON.stringify(parts.map(([name, { length }]) => [name, length])));
    const length = Buffer.alloc(NUMBER);
    length.writeUInt32LE(index.length);
    return Buffer.concat([length, index, ...parts.map(([, code]) => code)]);
  }
}

/**
 * Loads the bundle in `folder` and runs its `start`.
 *
 * @param ownRequire finds what is not of the bundle
 */
export function start(folder: string, ownRequire: NodeJS.Require, argv: readonly string[]): void {
  const name = `${BUNDLE_ID}-${process.version}-${process.arch}${SUFFIX}`;
  const isWanted = !process.env['NODE_DISABLE_COMPILE_CACHE'];
  const cache = isWanted ? cacheFolder() : undefined;
  const file = cache === undefined ? undefined : join(cache, name);
  const kept = file === undefined ? undefined : read(file, isOurs);
  // Where the build ran with the same Node.js, as in an image, its compiled code lies beside the bundle, and is trusted
  // as much.
  const compiled = kept ?? (isWanted ? read(join(folder, name)) : undefined);
  const bundle = new Bundle(folder, ownRequire, compiled ?? new Map());
  const { start: run } = bundle.load('start.js') as { start(words: readonly string[]): Promise<never> };
  if (cache !== undefined && file !== undefined) {
    process.on('exit', () => {
      if (!bundle.complete) keep(cache, file, bundle);
    });
  }
  void run(argv);
}

/** Names the folder for what can be made again at any time; undefined where there is none. */
function cacheFolder(): string | undefined {
  const { env, platform } = process;
  const own = env['MCP_CONNECT_CACHE_DIR'];
  if (own) return join(own, 'compiled');
  try {
    const home = homedir();
    const usual = platform === 'darwin' ? join(home, 'Library', 'Caches') : join(home, '.cache');
    const windows = env['LOCALAPPDATA'] || join(home, 'AppData', 'Local');
    const wanted = platform === 'win32' ? windows : env['XDG_CACHE_HOME'] || usual;
    // Any other folder would be one of whoever starts us: what lies there is neither ours to run nor to write.
    return isAbsolute(wanted) ? join(wanted, 'mcp-connect', 'compiled') : undefined;
  } catch {
    // A user without a home.
    return undefined;
  }
}

/** Reads compiled code; undefined where there is none that may be run, or that is whole. */
function read(file: string, mayRun = (_stats: Stats): boolean => true): Compiled | undefined {
  try {
    if (!mayRun(statSync(file))) return undefined;
    const twice = readFileSync(file);
    const bytes = twice.subarray(0, twice.length / 2);
    if (!bytes.equals(twice.subarray(bytes.length))) return undefined;
    const compiled = new Map<string, Buffer>();
    let at = NUMBER + bytes.readUInt32LE(0);
    for (const [name, length] of JSON.parse(bytes.toString('latin1', NUMBER, at)) as [string, number][]) {
      compiled.set(name, bytes.subarray(at, at + length));
      at += length;
    }
    return at === bytes.length ? compiled : undefined;
  } catch {
    return undefined;
  }
}

/** Whether nobody else could have written a file. */
function isOurs({ uid, mode }: Stats): boolean {
  return process.getuid === undefined || (uid === process.getuid() && (mode & 0o077) === 0);
}

/** Keeps compiled code for the next start. Where that cannot be, the next start takes longer. */
function keep(folder: string, file: string, bundle: Bundle): void {
  const draft = `${file}.${process.pid}.tmp`;
  try {
    // A home that is missing is not for us to make; and Node.js itself would try for ever where nothing can be made.
    for (const each of [dirname(dirname(folder)), dirname(folder), folder]) {
      if (!existsSync(each)) mkdirSync(each, { mode: 0o700 });
    }
    chmodSync(folder, 0o700);
    // V8 believes what it reads: a damaged file would end every start. So all of it is there twice, which takes less time
    // to compare than a checksum takes to load.
    const bytes = bundle.compiled();
    writeFileSync(draft, Buffer.concat([bytes, bytes]), { mode: 0o600, flag: 'wx', flush: true });
    renameSync(draft, file);
    const age = (name: string): number => statSync(join(folder, name)).mtimeMs;
    const kept = readdirSync(folder).filter((name) => name.endsWith(SUFFIX));
    for (const name of kept.sort((a, b) => age(b) - age(a)).slice(MOST_KEPT)) rmSync(join(folder, name));
  } catch {
    discard(draft);
  }
}

function discard(draft: string): void {
  try {
    rmSync(draft, { force: true });
  } catch {
    // There is not even a folder for it.
  }
}
