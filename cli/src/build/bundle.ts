import { createHash } from 'node:crypto';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build, transform, type BuildOptions, type Plugin } from 'esbuild';
import { compileStart } from './compiled.js';

const COMMON = {
  bundle: true,
  platform: 'node',
  format: 'esm',
  target: 'node20',
  minifyWhitespace: true,
  minifySyntax: true,
  splitting: true,
} as const satisfies BuildOptions;

/** What only a sign-in needs, as `@mcp-connect/auth-oauth` imports it on demand. */
const SIGN_IN = 'open-account.js';

/** What only a start with a configuration file needs. */
const CONFIG = 'config-file.js';

/** Modules that every plain `proxy` needs in the end: what is imported on demand elsewhere is part of the bundle. */
const AT_ONCE = /^(@mcp-connect\/|\.\/(streamable|direct|bridge)\.js$)/;

/** How esbuild offers what a file exports. */
const EXPORTS = /__export\(stdin_exports,\{([^}]*)\}\);module\.exports=__toCommonJS\(stdin_exports\);/;

/** Where the bundle of a plain `proxy` goes. */
const START = fileURLToPath(new URL('../start/', import.meta.url));

/** What is a bundle of its own, or none at all. */
const apart: Plugin = {
  name: 'apart',
  setup(bundling) {
    bundling.onResolve({ filter: /\/open-account\.js$/ }, () => ({
      path: '../sign-in/open-account.mjs',
      external: true,
    }));
    bundling.onResolve({ filter: /\/config-file\.js$/ }, () => ({
      path: '../config/config-file.mjs',
      external: true,
    }));
    bundling.onResolve({ filter: /^\.\/oclif\.js$/ }, () => ({
      path: '../command-line/oclif.js',
      external: true,
    }));
  },
};

/** Imports at once what a plain `proxy` would otherwise import on demand, one file after another. */
const atOnce: Plugin = {
  name: 'at-once',
  setup(bundling) {
    bundling.onLoad({ filter: /[\\/]dist[\\/].+\.js$/ }, async ({ path }) => {
      const imports: string[] = [];
      const text = await readFile(path, 'utf8');
      const contents = text.replace(/\bimport\('([^']+)'\)/g, (call, name: string) => {
        if (!AT_ONCE.test(name)) return call;
        imports.push(`import * as atOnce${imports.length} from '${name}';`);
        return `Promise.resolve(atOnce${imports.length - 1})`;
      });
      return { contents: `${imports.join('')}${contents}`, loader: 'js' };
    });
  },
};

await bundleStart();
await compileStart(START);
await bundleSignIn();
await bundleConfig();

/**
 * Puts everything that a plain `proxy` needs into one file, since finding and reading some fifty modules takes longer
 * than running them; what only some runs need becomes a file of its own beside it. All are CommonJS, which Node.js loads
 * faster than modules. oclif and proxy-agent stay outside: they are loaded only for what is not plain.
 */
async function bundleStart(): Promise<void> {
  const { outputFiles } = await build({
    ...COMMON,
    entryPoints: [fileURLToPath(new URL('../command-line/start.js', import.meta.url))],
    outdir: START,
    external: ['debug', 'proxy-agent'],
    plugins: [apart, atOnce],
    write: false,
  });
  await rm(START, { recursive: true, force: true });
  await mkdir(START);
  await writeFile(`${START}package.json`, '{"type":"commonjs"}\n');
  const texts = await Promise.all(outputFiles.map(({ text }) => asCommonJs(text)));
  for (const [at, { path }] of outputFiles.entries()) await writeFile(START + basename(path), texts[at]!);
  await bundleLoader(createHash('sha256').update(texts.join()).digest('hex').slice(0, 16));
}

/** Bundles what loads the bundle. */
async function bundleLoader(id: string): Promise<void> {
  await build({
    ...COMMON,
    splitting: false,
    format: 'cjs',
    entryPoints: [fileURLToPath(new URL('../command-line/cached-start.js', import.meta.url))],
    outfile: `${START}cached-start.js`,
    define: { BUNDLE_ID: JSON.stringify(id) },
  });
}

/**
 * A file of the bundle goes by the address of `command-line/start.js`: every module in it that asks for its own address
 * lies as deep as that one. It is compiled where there is no `import()`, so it is handed another one; see
 * `cached-start.ts`.
 */
async function asCommonJs(text: string): Promise<string> {
  const { code } = await transform(text, {
    format: 'cjs',
    platform: 'node',
    target: COMMON.target,
    minifyWhitespace: true,
    define: { 'import.meta.url': 'moduleUrl' },
  });
  return withPlainExports(code)
    .replace(/\bimport\("((?:\.\/|node:)[^"]+)"\)/g, 'Promise.resolve().then(()=>require("$1"))')
    .replace(/\bimport\(/g, 'importModule(');
}

/**
 * Exports values in the place of getters, which ask another getter each time that a name is used. The files of the
 * bundle import each other in one direction, and what they export never changes.
 */
function withPlainExports(code: string): string {
  const [, names] = EXPORTS.exec(code) ?? [];
  if (names === undefined) throw new Error('esbuild words the exports of a file in another way than it did');
  return `${code.replace(EXPORTS, '')}\nmodule.exports={${names.replaceAll('()=>', '')}};\n`;
}

/** A sign-in is a bundle of its own: it is as large as all the rest, and most starts need none. */
async function bundleSignIn(): Promise<void> {
  await build({
    ...COMMON,
    entryPoints: [fileURLToPath(new URL(SIGN_IN, import.meta.resolve('@mcp-connect/auth-oauth')))],
    outdir: fileURLToPath(new URL('../sign-in/', import.meta.url)),
    outExtension: { '.js': '.mjs' },
    banner: { js: `import{createRequire as $r}from'node:module';const require=$r(import.meta.url);` },
    sourcemap: true,
    external: ['debug'],
  });
}

/** Reading a configuration file takes three libraries. */
async function bundleConfig(): Promise<void> {
  await build({
    ...COMMON,
    entryPoints: [fileURLToPath(new URL(`../config/${CONFIG}`, import.meta.url))],
    outdir: fileURLToPath(new URL('../config/', import.meta.url)),
    outExtension: { '.js': '.mjs' },
    splitting: false,
    banner: { js: `import{createRequire as $r}from'node:module';const require=$r(import.meta.url);` },
    // jsonc-parser's main file asks for its parts in a way that no bundler follows.
    mainFields: ['module', 'main'],
    external: ['debug'],
  });
}
