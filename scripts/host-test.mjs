// Runs the tests that need Hermes and the native module, some of them the reference backend, too: every `*.test.ts(x)`
// under rust/host/tests and js/test/hermes, each in a process of its own.
//
//   node scripts/host-test.mjs [part of a file's name]
//
// The last line is `N passed, N failed`; the exit code is 1 if a test failed, or a file ended without saying how.

import { existsSync, readdirSync } from 'node:fs';
import { join, relative } from 'node:path';
import { root } from './host/hermes.mjs';
import { hostBinary, runScript, serverBinary } from './host/run.mjs';

const FOLDERS = ['rust/host/tests', 'js/test/hermes'];
const TIMEOUT_MS = 120_000;

const wanted = process.argv[2] ?? '';
const files = FOLDERS.flatMap((folder) => {
  const path = join(root, folder);
  const names = existsSync(path) ? readdirSync(path, { recursive: true }) : [];
  return names.filter((name) => /\.test\.tsx?$/.test(name)).map((name) => join(path, name)).sort();
}).filter((file) => file.includes(wanted));

let binary;
try {
  binary = hostBinary();
  // For the tests that talk to a backend.
  process.env.OMNII_SERVER = serverBinary();
} catch (error) {
  console.error(`host-test: ${error.message}`);
  process.exit(1);
}
let passed = 0;
let failed = 0;
for (const file of files) {
  const name = relative(root, file);
  let output = '';
  const started = Date.now();
  let code = 1;
  try {
    code = await runScript(file, [], {
      binary,
      stdio: ['ignore', 'pipe', 'pipe'],
      timeoutMs: TIMEOUT_MS,
      onOutput: (text) => (output += text),
    });
  } catch (error) {
    output += `${error.message}\n`;
  }
  const said = /^(\d+) passed, (\d+) failed$/m.exec(output.trimEnd().split('\n').at(-1) ?? '');
  passed += said ? Number(said[1]) : 0;
  // A file that does not say how it ended, or that ended badly after all was well, has failed.
  const failures = said ? Number(said[2]) : 1;
  const counted = Math.max(failures, code === 0 ? 0 : 1);
  failed += counted;
  console.log(`${counted === 0 ? 'ok  ' : 'FAIL'} ${name} (${Date.now() - started} ms)`);
  if (counted > 0) console.log(`${output.replace(/^/gm, '     ')}\n     exit code ${code}`);
}
if (files.length === 0) {
  console.error(`no test file matches ${wanted}`);
  failed = 1;
}
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;
