// Names the public repository in the manifest of every package that is published: `node .ci/repository.mjs URL`.
// npm takes a package with provenance only where its `repository.url` is the repository that it is built from.
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { join } from 'node:path';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const address = process.argv[2] ?? '';
if (!/^https:\/\/[^/]+\/.+[^/]$/.test(address)) {
  process.stderr.write('Usage: node .ci/repository.mjs https://HOST/OWNER/NAME\n');
  process.exit(2);
}
const page = address.replace(/\.git$/, '');

const below = (folder) => readdirSync(join(ROOT, folder)).map((name) => `${folder}/${name}`);
for (const directory of ['core', 'cli', 'test', ...below('plugins'), ...below('examples')]) {
  const file = join(ROOT, directory, 'package.json');
  if (!existsSync(file)) continue;
  const manifest = {
    ...JSON.parse(readFileSync(file, 'utf8')),
    repository: { type: 'git', url: `git+${page}.git`, directory },
    homepage: `${page}/tree/HEAD/${directory}#readme`,
    bugs: `${page}/issues`,
  };
  writeFileSync(file, `${JSON.stringify(manifest, null, 2)}\n`);
}
