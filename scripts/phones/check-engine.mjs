// What has to hold for the engine as a static library, on any platform whose tools are here: it exports nothing but what cpp/ calls,
// links beside another SQLite as in apps with expo-sqlite, op-sqlite or expo-updates, and takes no more of an app than it may.

import { copyFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { misaligned, strippedBytes } from './elf.mjs';
import { exportedSymbols, foreignSymbols, hideSymbols } from './hide-symbols.mjs';
import { linkEngine } from './link-engine.mjs';
import { weights } from './weights.mjs';

const OTHER_SQLITE = 'extern "C" int sqlite3_open_v2(void) { return 1; }\nextern "C" int sqlite3_libversion_number(void) { return 1; }\n';

/**
 * Throws what is wrong; answers lines that say what was found.
 * @param {string} built cargo's library
 * @param {string} folder for what this makes; the library with hidden symbols is left there as libomnii_sync.a
 * @param {{ prefix?: string, compiler?: string[], flags?: string[], mostBytes: number }} options `prefix`: of binutils' names
 */
export function checkEngine(built, folder, { prefix = '', compiler, flags, mostBytes }) {
  const nm = `${prefix}nm`;
  // The check can fail: cargo's own library does not pass.
  if (!foreignSymbols(built, nm).includes('sqlite3_open_v2')) throw new Error('cargo’s library has no SQLite: the check would prove nothing');
  const library = join(folder, 'libomnii_sync.a');
  hideSymbols(built, library, { ld: `${prefix}ld`, nm, objcopy: `${prefix}objcopy`, ar: `${prefix}ar` });
  const foreign = foreignSymbols(library, nm);
  if (foreign.length > 0) throw new Error(`exported though not ours: ${foreign.slice(0, 10).join(', ')} (${foreign.length} in all)`);

  const source = join(folder, 'other.cpp');
  const linked = join(folder, 'libapp.so');
  writeFileSync(source, OTHER_SQLITE);
  linkEngine(library, linked, { compiler, nm, flags, sources: [source] });
  const fault = misaligned(linked);
  if (fault) throw new Error(fault);
  const bytes = strippedBytes(linked, `${prefix}strip`);
  const lines = [
    `${exportedSymbols(library, nm).length} symbols, all ours; beside another SQLite it links`,
    `without symbols it takes ${megabytes(bytes)} of an app (${bytes} bytes), of ${megabytes(mostBytes)} that it may take; most of it:`,
    ...weights(linked, built, { nm, size: `${prefix}size` }).map(([part, size]) => `${megabytes(size).padStart(10)}  ${part}`),
  ];
  if (bytes > mostBytes) throw new Error(`the engine takes too much of an app\n${lines.join('\n')}`);
  return lines;
}

/** As Android Studio and Xcode count: 1,048,576 bytes. */
function megabytes(bytes) {
  return `${(bytes / 1024 / 1024).toFixed(2)} MB`;
}

/** Leaves the library at `path` as well. */
export function keepLibrary(folder, path) {
  copyFileSync(join(folder, 'libomnii_sync.a'), path);
}
