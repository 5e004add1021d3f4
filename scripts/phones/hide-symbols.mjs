// Makes of cargo's static library one that can be linked into any app. Cargo's archive exports all that is in it: SQLite, which
// apps may have a second time from expo-sqlite, op-sqlite or expo-updates, ring, Rust's standard library, the runtime of cxx.
//
// - All objects become one, in which only the C++ functions that cpp/ calls stay visible.
// - The runtime of cxx gets a namespace of its own, in the library here and in the header by `renameNamespace`: another library
//   in the app may bring another version of it.
// - Common symbols, as OpenSSL's assembler has one, cannot be hidden: they are renamed.
//
// The tools are those of the platform: GNU's or LLVM's for ELF, LLVM's (rustup component llvm-tools) for Mach-O.

import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const NAMESPACE = 'cxxbridge1';
const OUR_NAMESPACE = 'omnii_cxxbridge1';
/** As C++ mangles a name: its length in front. */
const mangled = (name) => `${name.length}${name}`;

/** Functions and type information in the namespaces `omnii` and `rust::cxxbridge1`; Mach-O puts a _ in front of each name. */
const CALLED = new RegExp(`^_?_ZT?[ISV]?N[KVRO]*(${mangled('omnii')}\\d|${mangled('rust')}${mangled(NAMESPACE)})`);
const COMMON = 'omnii_common_';
/** Of ELF and of Mach-O: bitcode of Rust's standard library. LLVM's nm takes its symbols for those of the object. */
const BITCODE = ['.llvmbc', '.llvmcmd', '__LLVM,__bitcode', '__LLVM,__cmdline'];
const OURS = new RegExp(`^_?(${COMMON}|_ZT?[ISV]?N[KVRO]*(${mangled('omnii')}\\d|${mangled('rust')}${mangled(OUR_NAMESPACE)}))`);

/**
 * @param {string} input
 * @param {string} output
 * @param {{ ld?: string, ldFlags?: string[], nm?: string, objcopy?: string, ar?: string }} tools
 */
export function hideSymbols(input, output, { ld = 'ld', ldFlags = ['--whole-archive'], nm = 'nm', objcopy = 'objcopy', ar = 'ar' } = {}) {
  const folder = mkdtempSync(join(tmpdir(), 'omnii-hide-'));
  try {
    const object = join(folder, 'omnii_sync.o');
    execFileSync(ld, ['-r', ...ldFlags, input, '-o', object]);
    // Without groups, each copy of a C++ template stays. A linker that took another library's copy instead would drop ours, while
    // what refers to it can no longer see the other. (The linker's --force-group-allocation does it too, but NDK 27's does not
    // know that.) Together with what debuggers read: llvm-objcopy leaves that wrong in Mach-O when a section before it goes, and
    // the next call would not survive it.
    execFileSync(objcopy, ['--strip-debug', ...[...BITCODE, '.group'].map((section) => `--remove-section=${section}`), object]);
    const kept = exportedSymbols(object, nm).filter((name) => CALLED.test(name));
    if (kept.length === 0) throw new Error(`${input} has none of the functions that cpp/ calls`);
    const renamed = kept.map((name) => name.replaceAll(mangled(NAMESPACE), mangled(OUR_NAMESPACE)));
    const common = exportedSymbols(object, nm, 'C');
    const commonRenamed = common.map((name) => name.replace(/^_?/, `$&${COMMON}`));
    const keep = list(folder, 'keep', [...renamed, ...commonRenamed]);
    const pairs = [...kept, ...common].map((name, index) => `${name} ${[...renamed, ...commonRenamed][index]}`);
    const rename = list(folder, 'rename', pairs);
    // Two calls: tools differ in which of the two they do first.
    execFileSync(objcopy, [`--redefine-syms=${rename}`, object]);
    execFileSync(objcopy, [`--keep-global-symbols=${keep}`, object]);
    rmSync(output, { force: true });
    execFileSync(ar, ['crs', output, object]);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** What `hideSymbols` has done to the library, done to the text of a header. */
export function renameNamespace(header) {
  return header.replaceAll(`namespace ${NAMESPACE}`, `namespace ${OUR_NAMESPACE}`);
}

/** Names that others who are linked with this file can see; `type`: nm's letter, for those of that type only. */
export function exportedSymbols(file, nm = 'nm', type = '\\w') {
  const wanted = new RegExp(`^[\\da-fA-F]+ ${type} (\\S+)$`);
  const lines = execFileSync(nm, ['-g', '--defined-only', file], {
    encoding: 'utf8',
    maxBuffer: 1 << 28,
    // Tells of each member without symbols.
    stdio: ['ignore', 'pipe', 'ignore'],
  }).split('\n');
  return [...new Set(lines.map((line) => wanted.exec(line)?.[1]).filter(Boolean))];
}

/** Those of them that are not ours. */
export function foreignSymbols(file, nm) {
  return exportedSymbols(file, nm).filter((name) => !OURS.test(name));
}

function list(folder, name, lines) {
  const path = join(folder, name);
  writeFileSync(path, `${lines.join('\n')}\n`);
  return path;
}
