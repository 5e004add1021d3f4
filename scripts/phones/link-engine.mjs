// Links all of the engine into a shared library, as an app does, to see what it takes there and that nothing is missing.

import { execFileSync } from 'node:child_process';
import { exportedSymbols } from './hide-symbols.mjs';

/**
 * Bytes of an app that the engine may take, without symbols: 4 MB on phones, as Android Studio and Xcode count them; a little more
 * where only emulators are, because ring has its code there once for each generation of processors.
 */
export const MOST_BYTES = { phone: 4 * 1024 * 1024, emulator: 4.75 * 1024 * 1024 };

/** Of one of Android's ABIs. */
export function mostBytes(abi) {
  return abi.startsWith('x86') ? MOST_BYTES.emulator : MOST_BYTES.phone;
}

/**
 * @param {string} library made by `hideSymbols`
 * @param {string} out
 * @param {{ compiler?: string[], nm?: string, sources?: string[], flags?: string[] }} options `compiler` with the flags of the target
 */
export function linkEngine(library, out, { compiler: [command, ...target] = ['g++'], nm, sources = [], flags = [] } = {}) {
  // Everything that cpp/ may call; what nobody reaches from there, an app's linker drops, too.
  const roots = exportedSymbols(library, nm).map((symbol) => `-Wl,--undefined=${symbol}`);
  // The page size is that of android/CMakeLists.txt.
  const link = ['-Wl,-z,max-page-size=16384', '-Wl,--gc-sections', '-Wl,--no-undefined', '-Wl,--exclude-libs,ALL', ...flags];
  try {
    execFileSync(command, [...target, '-shared', '-fPIC', ...sources, ...roots, library, ...link, '-o', out], { stdio: ['ignore', 'pipe', 'pipe'], encoding: 'utf8' });
  } catch (error) {
    // Not the command: it names hundreds of symbols.
    throw new Error(`${library} cannot be linked:\n${error.stderr ?? error.code}`, { cause: error.code });
  }
}
