// Builds the engine as a static library, hides what is not for others as the phone builds do, and looks: a library that exports
// SQLite's functions would clash with expo-sqlite, op-sqlite and expo-updates. Then it is linked with another SQLite.
//
//   node scripts/check-symbols.mjs [library to leave]

import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { cargoEnv, targetDirectory } from './cargo.mjs';
import { root } from './host/hermes.mjs';
import { exportedSymbols, foreignSymbols, hideSymbols } from './phones/hide-symbols.mjs';

const MEGABYTE = 1_000_000;
/** Of a program with all of the engine, in the profile of the tests, which is for speed. */
const BUDGET_MB = 10;

const folder = mkdtempSync(join(tmpdir(), 'omnii-symbols-'));
try {
  const args = ['build', '--release', '--locked', '--quiet', '-p', 'omnii-sync-ffi'];
  const { status } = spawnSync('cargo', args, { cwd: root, env: cargoEnv(), stdio: ['ignore', 'inherit', 'inherit'] });
  if (status !== 0) fail('the engine was not built');
  const built = join(targetDirectory, 'release/libomnii_sync.a');
  const library = resolve(process.argv[2] ?? join(folder, 'libomnii_sync.a'));

  // The check can fail: cargo's own library does not pass.
  if (!foreignSymbols(built).includes('sqlite3_open_v2')) fail('cargo’s library has no SQLite: the check would prove nothing');
  hideSymbols(built, library);
  const foreign = foreignSymbols(library);
  if (foreign.length > 0) fail(`exported though not ours: ${foreign.slice(0, 10).join(', ')} (${foreign.length} in all)`);

  const size = linkedSize(library);
  if (size > BUDGET_MB * MEGABYTE) fail(`a program with the engine takes ${megabytes(size)}, more than ${BUDGET_MB} MB`);
  console.log(
    `check-symbols: ${exportedSymbols(library).length} symbols, all ours; beside another SQLite it links; stripped, ${megabytes(size)} in a program`
  );
} finally {
  rmSync(folder, { recursive: true, force: true });
}

/** Links all of the engine into a shared library, as an app does, beside functions that have the names of SQLite's. */
function linkedSize(library) {
  const source = join(folder, 'other.c');
  const linked = join(folder, 'libapp.so');
  const roots = exportedSymbols(library).map((name) => `-Wl,--undefined=${name}`);
  writeFileSync(source, 'int sqlite3_open_v2(void) { return 1; }\nint sqlite3_libversion_number(void) { return 1; }\n');
  execFileSync('g++', ['-shared', '-fPIC', source, ...roots, library, '-Wl,--gc-sections', '-Wl,--no-undefined', '-o', linked], {
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  execFileSync('strip', [linked]);
  return statSync(linked).size;
}

function megabytes(bytes) {
  return `${(bytes / MEGABYTE).toFixed(1)} MB`;
}

function fail(message) {
  console.error(`check-symbols: ${message}`);
  process.exit(1);
}
