// Runs the end-to-end flows of the example app: each example-app/flows/*.flow.ts on headless phones, against the reference
// backend on loopback.
//
//   node scripts/flow-test.mjs [part of a file's name …]
//
// The app is exported and compiled before the first flow, if it has changed. Flows run one after another: some have two phones.

import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './host/hermes.mjs';
import { bundleFlows, phoneEnvironment } from './phone/build.mjs';

const folder = join(root, 'example-app/flows');
const wanted = process.argv.slice(2);
const names = readdirSync(folder).filter((name) => name.endsWith('.flow.ts') && (wanted.length === 0 || wanted.some((part) => name.includes(part))));
if (names.length === 0) {
  console.error(`no flow matches ${wanted.join(', ')}`);
  process.exit(1);
}
const env = { ...process.env, ...(await phoneEnvironment()) };
const flows = await bundleFlows(names.sort().map((name) => join(folder, name)));
const { status } = spawnSync(
  process.execPath,
  ['--enable-source-maps', '--test', '--test-concurrency=1', '--test-reporter=spec', ...flows],
  { stdio: 'inherit', cwd: root, env },
);
process.exit(status ?? 1);
