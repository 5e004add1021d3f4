// Sets up and runs the demo: the whole way of a row once, on Hermes against the reference backend (scripts/demo/main.ts).
//
//   npm run demo
//
// The last line is JSON with counts and times. The exit code is 1 if anything was not as expected.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { hostBinary, serverBinary } from './cargo.mjs';
import { root } from './host/hermes.mjs';
import { setup } from './setup.mjs';

const TIMEOUT_MS = 120_000;

await setup();
process.env.OMNII_SERVER = serverBinary();
// Needs what setup has installed.
const { runScript } = await import('./host/run.mjs');
const directory = mkdtempSync(join(tmpdir(), 'omnii-demo-'));
try {
  const script = join(root, 'scripts/demo/main.ts');
  const code = await runScript(script, [directory], { binary: hostBinary(), timeoutMs: TIMEOUT_MS });
  process.exitCode = code === 0 ? 0 : 1;
} finally {
  rmSync(directory, { recursive: true, force: true });
}
