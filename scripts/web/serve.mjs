// Serves an exported web app on loopback, as any static host does that sends unknown pages to index.html.

import { readFileSync, statSync } from 'node:fs';
import { createServer } from 'node:http';
import { extname, join, normalize } from 'node:path';

const TYPES = {
  '.css': 'text/css', '.html': 'text/html; charset=utf-8', '.ico': 'image/x-icon', '.js': 'text/javascript; charset=utf-8',
  '.json': 'application/json', '.map': 'application/json', '.png': 'image/png', '.svg': 'image/svg+xml', '.ttf': 'font/ttf',
  '.wasm': 'application/wasm',
};

/**
 * @param {string} folder
 * @param {object} [options]
 * @param {Record<string, string>} [options.replace] text in JavaScript files, and what it is replaced by: the addresses of this run in an
 * app that was built before they were known
 * @param {Record<string, string>} [options.files] files that are elsewhere, by name in whatever folder they are asked for
 * @returns {Promise<{ url: string, close: () => Promise<void> }>} `url` has no slash at its end
 */
export async function serve(folder, { replace = {}, files = {} } = {}) {
  const server = createServer((request, response) => {
    const path = normalize(decodeURIComponent(new URL(request.url ?? '/', 'http://host').pathname));
    const isPage = extname(path) === '';
    const file = files[path.split('/').at(-1)] ?? join(folder, isPage ? 'index.html' : path);
    // `normalize` has removed `..` from the absolute path.
    if (!statSync(file, { throwIfNoEntry: false })?.isFile()) {
      // Browsers ask every site for one, unasked.
      if (path === '/favicon.ico') return response.writeHead(204).end();
      return response.writeHead(404, { 'Content-Type': 'text/plain' }).end('no such file\n');
    }
    const type = TYPES[extname(file)] ?? 'application/octet-stream';
    let body = readFileSync(file);
    if (extname(file) === '.js') {
      let text = body.toString('utf8');
      for (const [from, to] of Object.entries(replace)) text = text.replaceAll(from, to);
      body = Buffer.from(text);
    }
    return response.writeHead(200, { 'Content-Type': type, 'Cache-Control': 'no-store' }).end(body);
  });
  await new Promise((resolve, reject) => server.once('error', reject).listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${server.address().port}`,
    close: () =>
      new Promise((resolve) => {
        server.close(resolve);
        server.closeAllConnections();
      }),
  };
}
