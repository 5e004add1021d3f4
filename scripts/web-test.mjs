// The example app on the web: exported by Metro for production, in a real Chromium, against the reference backend; and what its exports
// must not hold. Runs scripts/web/*.test.mjs under `node --test`.
//
//   node scripts/web-test.mjs [part of a file name …]

import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { serverBinary } from './cargo.mjs';
import { root } from './host/hermes.mjs';
import { run } from './process.mjs';

const folder = join(root, 'scripts/web');
const wanted = process.argv.slice(2);
const files = readdirSync(folder).filter(
  (name) => name.endsWith('.test.mjs') && (wanted.length === 0 || wanted.some((part) => name.includes(part)))
);
if (files.length === 0) {
  console.error(`no web test matches ${wanted.join(', ')}`);
  process.exit(1);
}
process.env.OMNII_SERVER = serverBinary();
const args = ['--test', '--test-reporter=spec', '--test-concurrency=1', ...files.map((name) => join(folder, name))];
process.exitCode = await run(process.execPath, args);
