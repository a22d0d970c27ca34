import { fileURLToPath } from 'node:url';
import { build, type BuildOptions, type Plugin } from 'esbuild';

const COMMON = {
  bundle: true,
  platform: 'node',
  format: 'esm',
  target: 'node20',
  minifyWhitespace: true,
  minifySyntax: true,
  sourcemap: true,
  // CommonJS packages inside ask for node's own modules by `require`.
  banner: { js: `import{createRequire as $r}from'node:module';const require=$r(import.meta.url);` },
} as const satisfies BuildOptions;

/** What only a sign-in needs, as `@mcp-connect/auth-oauth` imports it on demand. */
const SIGN_IN = 'open-account.js';

const signInApart: Plugin = {
  name: 'sign-in-apart',
  setup(bundling) {
    bundling.onResolve({ filter: /\/open-account\.js$/ }, () => ({
      path: './sign-in/open-account.mjs',
      external: true,
    }));
  },
};

/**
 * Puts everything that a plain `proxy` needs into one file, since finding and reading some fifty modules takes longer
 * than running them. oclif and proxy-agent stay outside: they are loaded only for what is not plain.
 */
await build({
  ...COMMON,
  entryPoints: [fileURLToPath(new URL('start.js', import.meta.url))],
  outfile: fileURLToPath(new URL('start.mjs', import.meta.url)),
  external: ['./oclif.js', 'debug', 'proxy-agent'],
  plugins: [signInApart],
});

/** A sign-in is a bundle of its own: it is as large as all the rest, and most starts need none. */
await build({
  ...COMMON,
  entryPoints: [fileURLToPath(new URL(SIGN_IN, import.meta.resolve('@mcp-connect/auth-oauth')))],
  outdir: fileURLToPath(new URL('sign-in/', import.meta.url)),
  outExtension: { '.js': '.mjs' },
  splitting: true,
  external: ['debug'],
});
