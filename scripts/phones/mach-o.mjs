// What `hideSymbols` does with Mach-O, the format of iOS, shown without a Mac: clang makes objects for it, and Debian has the LLVM
// that Rust's llvm-tools are of. Apple's linker, which makes one object of many, is not here: there is only one.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { exportedSymbols, hideSymbols } from './hide-symbols.mjs';

/** That of Rust 1.95. Older ones cannot do it. */
export const LLVM = '22';
const tool = (name) => `llvm-${name}-${LLVM}`;

/** In it: what cpp/ calls, what nobody may see, and the bitcode that Rust's standard library comes with, before it is read. */
const SOURCE = `
namespace other { template <class T> struct Box { static __attribute__((noinline)) T twice(T x) { return x + x; } }; }
namespace omnii { int one(int x) { return other::Box<int>::twice(x); } }
namespace rust { inline namespace cxxbridge1 { struct Str { long bytes; long size(); }; long Str::size() { return bytes; } } }
extern "C" int sqlite3_open() { return omnii::one(4) + (int)rust::Str{1}.size(); }
extern "C" void missing();
extern "C" void call() { missing(); }
__attribute__((section("__LLVM,__bitcode"), used)) static const char bitcode[] = "none that can be read";
asm(".comm _cpu_features,40,4");
`;

/**
 * @param {(name: string, body: () => void) => Promise<void>} check
 * @param {string} work a folder for what this makes
 */
export async function checkMachO(check, work) {
  for (const target of ['arm64-apple-ios15.1', 'arm64-apple-ios15.1-simulator', 'x86_64-apple-ios15.1-simulator']) {
    await check(`symbols are hidden in what is made for ${target}`, () => {
      const folder = join(work, target);
      mkdirSync(folder, { recursive: true });
      const [source, object, library] = ['one.cpp', 'one.o', 'hidden.a'].map((name) => join(folder, name));
      writeFileSync(source, SOURCE);
      // With what debuggers read, as parts of Rust's standard library have it.
      execFileSync('clang++', [`--target=${target}`, '-stdlib=libc++', '-std=c++20', '-O1', '-g', '-c', source, '-o', object]);
      hideSymbols(object, library, { ld: linker(folder), ldFlags: [], nm: tool('nm'), objcopy: tool('objcopy'), ar: tool('ar') });
      const seen = ['__ZN4rust16omnii_cxxbridge13Str4sizeEv', '__ZN5omnii3oneEi', '_omnii_common_cpu_features'];
      assert.deepEqual(exportedSymbols(library, tool('nm')).sort(), seen);
      const all = execFileSync(tool('nm'), [library], { encoding: 'utf8' });
      for (const hidden of [' t _sqlite3_open', ' t __ZN5other3BoxIiE5twiceEi', ' U _missing']) assert.ok(all.includes(hidden), `no${hidden}`);
      const sections = execFileSync(tool('objdump'), ['--section-headers', library], { encoding: 'utf8' });
      assert.match(sections, /__text/);
      assert.doesNotMatch(sections, /bitcode|debug/);
    });
  }
}

/** Takes what Apple's is called with, and copies. */
function linker(folder) {
  const path = join(folder, 'ld');
  writeFileSync(path, '#!/usr/bin/env bash\n[ "$1 $3" = "-r -o" ] && exec cp "$2" "$4"\n');
  chmodSync(path, 0o755);
  return path;
}
