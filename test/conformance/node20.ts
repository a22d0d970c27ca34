// The harness imports `fs.globSync`, which Node 20 lacks. None of the commands that run here calls it.
import * as fs from 'node:fs';
import { register } from 'node:module';

const FS = `export * from 'node:fs';
export { default } from 'node:fs';
export function globSync() { throw new Error('Node 20 has no fs.globSync'); }`;

const HOOKS = `export function resolve(specifier, context, next) {
  if (specifier !== 'fs') return next(specifier, context);
  return { url: ${JSON.stringify(moduleOf(FS))}, shortCircuit: true };
}`;

if (!('globSync' in fs)) register(moduleOf(HOOKS));

function moduleOf(source: string): string {
  return `data:text/javascript,${encodeURIComponent(source)}`;
}
