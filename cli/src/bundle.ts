import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

/**
 * Puts everything that a plain `proxy` needs into one file, since finding and reading some fifty modules takes longer
 * than running them. oclif and proxy-agent stay outside: they are loaded only for what is
 * not plain.
 */
await build({
  entryPoints: [fileURLToPath(new URL('start.js', import.meta.url))],
  outfile: fileURLToPath(new URL('start.mjs', import.meta.url)),
  bundle: true,
  platform: 'node',
  format: 'esm',
  target: 'node20',
  minifyWhitespace: true,
  minifySyntax: true,
  sourcemap: true,
  external: ['./oclif.js', 'debug', 'proxy-agent'],
  // CommonJS packages inside ask for node's own modules by `require`.
  banner: { js: `import{createRequire as $r}from'node:module';const require=$r(import.meta.url);` },
});
