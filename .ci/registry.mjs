// A package registry of this machine: what is published to it can be installed from it.
import { once } from 'node:events';
import { createServer } from 'node:http';
import { buffer } from 'node:stream/consumers';

/** Starts a registry on a free port. It knows what was published to it and nothing else. */
export async function startRegistry() {
  /** Packuments by package name, and tarballs by path. */
  const packages = new Map();
  const tarballs = new Map();

  const server = createServer((request, response) => {
    void handle(request).then(({ status, body, type = 'application/json' }) =>
      response.writeHead(status, { 'content-type': type }).end(body),
    );
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = `http://127.0.0.1:${server.address().port}/`;

  async function handle(request) {
    const path = decodeURIComponent(new URL(request.url, url).pathname.slice(1));
    if (request.method === 'PUT') return publish(path, JSON.parse((await buffer(request)).toString()));
    const tarball = tarballs.get(path);
    if (tarball !== undefined) return { status: 200, body: tarball, type: 'application/octet-stream' };
    const found = packages.get(path);
    if (found === undefined) return { status: 404, body: '{"error":"not found"}' };
    return { status: 200, body: JSON.stringify(found) };
  }

  /** Takes a package as npm sends it: its description, with the tarballs in Base64. */
  function publish(name, { _attachments: attachments, ...description }) {
    for (const version of Object.values(description.versions)) {
      const [[file, { data }]] = Object.entries(attachments);
      const path = `${name}/-/${file.split('/').at(-1)}`;
      tarballs.set(path, Buffer.from(data, 'base64'));
      version.dist.tarball = url + path;
    }
    packages.set(name, description);
    return { status: 201, body: '{"ok":true}' };
  }

  return {
    url,
    packages,
    tarballs,
    close: () => {
      server.closeAllConnections();
      server.close();
    },
  };
}
