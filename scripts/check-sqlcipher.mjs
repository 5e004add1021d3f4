// Builds the engine with encryption (feature `sqlcipher`), lints it, and runs all of its tests on SQLCipher.
//
//   npm run check:sqlcipher
//
// A step of `npm test`. The first build compiles OpenSSL, which takes minutes, and needs perl and make. Results are kept where all
// of cargo's are, so later runs take no longer than the tests do.

import { spawnSync } from 'node:child_process';
import { cargoEnv, ENCRYPTED } from './cargo.mjs';
import { run } from './process.mjs';

const missing = ['perl', 'make', 'cargo'].filter((name) => spawnSync(name, ['--version'], { stdio: 'ignore' }).status !== 0);
if (missing.length > 0) {
  console.error(`check-sqlcipher: ${missing.join(', ')} must be installed first (on Debian: apt-get install perl make)`);
  process.exit(1);
}
const steps = [
  { args: ['check', ...ENCRYPTED, '--all-targets'], wrapper: 'clippy' },
  { args: ['test', ...ENCRYPTED] },
];
for (const { args, wrapper } of steps) {
  console.log(`=== cargo ${args.join(' ')}`);
  const code = await run('cargo', args, { env: cargoEnv(wrapper), timeoutMs: 45 * 60_000 });
  if (code !== 0) process.exit(1);
}
