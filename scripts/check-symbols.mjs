// Builds the engine as phones get it, but for this machine, and looks at the library: scripts/phones/check-engine.mjs.
//
//   node scripts/check-symbols.mjs [library to leave]

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { spawnSync } from 'node:child_process';
import { buildEngine } from './phones/build-engine.mjs';
import { checkEngine, keepLibrary } from './phones/check-engine.mjs';
import { MOST_BYTES } from './phones/link-engine.mjs';

const folder = mkdtempSync(join(tmpdir(), 'omnii-symbols-'));
try {
  const target = /^host: (\S+)$/m.exec(spawnSync('rustc', ['-vV'], { encoding: 'utf8' }).stdout ?? '')?.[1];
  const { library } = buildEngine(target, join(folder, 'cargo'));
  const mostBytes = target.startsWith('aarch64') ? MOST_BYTES.phone : MOST_BYTES.emulator;
  for (const line of checkEngine(library, folder, { mostBytes })) console.log(`check-symbols: ${line}`);
  if (process.argv[2]) keepLibrary(folder, resolve(process.argv[2]));
} catch (error) {
  console.error(`check-symbols: ${error.message}`);
  process.exitCode = 1;
} finally {
  rmSync(folder, { recursive: true, force: true });
}
