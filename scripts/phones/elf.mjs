// What the system's loader and the user's disk will find in a shared library for Android: how its segments are aligned, and how
// large it is without symbols. Works on any ELF file; the tools are binutils' or LLVM's.

import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Of phones with Android 15 and later; such a phone does not load a library that is aligned to less. */
export const PAGE_BYTES = 16_384;

/** What is wrong with the alignment of the file, or undefined. */
export function misaligned(file, readelf = 'readelf') {
  const segments = loadAlignments(file, readelf);
  if (segments.length === 0) return `${file} has no LOAD segment: it is no shared library`;
  const wrong = segments.find((bytes) => bytes < PAGE_BYTES || bytes % PAGE_BYTES !== 0);
  return wrong === undefined ? undefined : `${file} has a segment that is aligned to ${wrong} bytes, not to ${PAGE_BYTES}`;
}

/** Only 64-bit phones have such pages. */
export function is64Bit(file, readelf = 'readelf') {
  return /^\s*Class:\s+ELF64$/m.test(output(readelf, ['-h', file]));
}

/** Bytes of each LOAD segment's alignment. */
function loadAlignments(file, readelf) {
  const lines = output(readelf, ['-lW', file]).split('\n');
  return lines.filter((line) => /^\s*LOAD\s/.test(line)).map((line) => Number(line.trim().split(/\s+/).at(-1)));
}

/** Bytes of the file without symbols. */
export function strippedBytes(file, strip = 'strip') {
  const folder = mkdtempSync(join(tmpdir(), 'omnii-strip-'));
  try {
    const stripped = join(folder, 'stripped.so');
    execFileSync(strip, [file, '-o', stripped]);
    return statSync(stripped).size;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function output(command, args) {
  return execFileSync(command, args, { encoding: 'utf8', maxBuffer: 1 << 26, env: { ...process.env, LC_ALL: 'C' } });
}
