// Looks at what phones get of the engine, after it has been built or packed, and fails if it is too large, aligned to pages of
// another size than theirs, or cannot be linked.
//
//   node scripts/phones/check-library.mjs [options] <file>…
//
//   a static library (.a)   all of the engine is linked into a shared library first, as an app does; needs --compiler
//   a shared library (.so)  as it is in an app: its alignment; its size only with --most-bytes, as it holds other things, too
//
//   --compiler <c++>        of the library's platform; the target's flags may follow: --compiler "clang++ --target=…"
//   --readelf, --strip, --nm   binutils' of this machine, unless given; LLVM's know all platforms
//   --most-bytes <number>   of a shared library without symbols; 4000000 for the engine
//
// Prints a row of a Markdown table for each file, so that a workflow can put them into its summary.

import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { parseArgs } from 'node:util';
import { is64Bit, misaligned, strippedBytes } from './elf.mjs';
import { exportedSymbols, foreignSymbols } from './hide-symbols.mjs';

/** Megabytes of the app that the engine may take. */
const MOST_BYTES = 4_000_000;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    compiler: { type: 'string' },
    readelf: { type: 'string', default: 'readelf' },
    strip: { type: 'string', default: 'strip' },
    nm: { type: 'string', default: 'nm' },
    'most-bytes': { type: 'string' },
  },
});
const work = mkdtempSync(join(tmpdir(), 'omnii-library-'));
const faults = [];
try {
  if (positionals.length === 0) faults.push('which library?');
  for (const file of positionals) console.log(`| ${look(file)} |`);
} finally {
  rmSync(work, { recursive: true, force: true });
}
for (const fault of faults) console.error(`check-library: ${fault}`);
process.exitCode = faults.length === 0 ? 0 : 1;

function look(file) {
  // The folder has the name of the ABI.
  const name = `${basename(dirname(file))}/${basename(file)}`;
  const isEngine = file.endsWith('.a');
  const linked = isEngine ? linkEngine(file) : file;
  if (linked === undefined) return `${name} | not linked | –`;
  const wide = is64Bit(linked, values.readelf);
  const fault = wide ? misaligned(linked, values.readelf) : undefined;
  if (fault) faults.push(fault);
  const bytes = strippedBytes(linked, values.strip);
  const most = values['most-bytes'] === undefined ? (isEngine ? MOST_BYTES : Infinity) : Number(values['most-bytes']);
  if (!(bytes <= most)) faults.push(`${file} takes ${bytes} bytes of an app, more than ${most}`);
  return `${name} | ${(bytes / 1e6).toFixed(2)} MB | ${fault ? 'misaligned' : wide ? '16 KB' : '32 bit'}`;
}

/** Everything that cpp/ may call is in it; what it needs itself must be there, too. */
function linkEngine(file) {
  if (values.compiler === undefined) {
    faults.push(`${file} is a static library: say --compiler`);
    return undefined;
  }
  const foreign = foreignSymbols(file, values.nm);
  if (foreign.length > 0) faults.push(`${file} exports what is not ours: ${foreign.slice(0, 10).join(', ')}`);
  const roots = exportedSymbols(file, values.nm).map((symbol) => `-Wl,--undefined=${symbol}`);
  const out = join(work, `${basename(dirname(file))}.so`);
  const [compiler, ...flags] = values.compiler.split(' ');
  try {
    // The page size is that of android/CMakeLists.txt.
    const page = '-Wl,-z,max-page-size=16384';
    execFileSync(compiler, [...flags, '-shared', '-fPIC', ...roots, file, page, '-Wl,--gc-sections', '-Wl,--no-undefined', '-o', out], {
      stdio: ['ignore', 'inherit', 'inherit'],
    });
    return out;
  } catch (error) {
    faults.push(`${file} cannot be linked: ${error.message.split('\n')[0].slice(0, 200)}`);
    return undefined;
  }
}
