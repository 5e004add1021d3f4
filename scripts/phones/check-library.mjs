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
//   --most-bytes <number>   of a shared library without symbols; for the engine what link-engine.mjs says of its ABI, which is the
//                           name of its folder
//
// Prints a row of a Markdown table for each file, so that a workflow can put them into its summary.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { parseArgs } from 'node:util';
import { is64Bit, misaligned, strippedBytes } from './elf.mjs';
import { foreignSymbols } from './hide-symbols.mjs';
import { linkEngine, mostBytes } from './link-engine.mjs';

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
  const linked = isEngine ? link(file) : file;
  if (linked === undefined) return `${name} | not linked | –`;
  const wide = is64Bit(linked, values.readelf);
  const fault = wide ? misaligned(linked, values.readelf) : undefined;
  if (fault) faults.push(fault);
  const bytes = strippedBytes(linked, values.strip);
  const most = values['most-bytes'] === undefined ? (isEngine ? mostBytes(basename(dirname(file))) : Infinity) : Number(values['most-bytes']);
  if (!(bytes <= most)) faults.push(`${file} takes ${bytes} bytes of an app, more than ${most}`);
  // As Android Studio counts: 1,048,576 bytes.
  return `${name} | ${(bytes / 1024 / 1024).toFixed(2)} MB | ${fault ? 'misaligned' : wide ? '16 KB' : '32 bit'}`;
}

/** Everything that cpp/ may call is in it; what it needs itself must be there, too. */
function link(file) {
  if (values.compiler === undefined) {
    faults.push(`${file} is a static library: say --compiler`);
    return undefined;
  }
  const foreign = foreignSymbols(file, values.nm);
  if (foreign.length > 0) faults.push(`${file} exports what is not ours: ${foreign.slice(0, 10).join(', ')}`);
  const out = join(work, `${basename(dirname(file))}.so`);
  try {
    linkEngine(file, out, { compiler: values.compiler.split(' '), nm: values.nm });
    return out;
  } catch (error) {
    faults.push(error.message);
    return undefined;
  }
}
