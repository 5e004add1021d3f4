// Builds the engine for Android with an NDK and leaves it, with the headers of the bridge, where android/CMakeLists.txt looks.
//
//   node scripts/phones/build-android.mjs [--abi <abi>]… [--ndk <folder>] [--out <folder>] [--sqlcipher] [--no-fts5]
//
// Without --abi, for all four. The NDK is --ndk, or else ANDROID_NDK_HOME. With --out nothing is written into the package: the
// libraries go to libs/ there, and the headers to bridge/.

import { existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { root } from '../root.mjs';
import { copyBridge } from './bridge.mjs';
import { buildEngine, SWITCHES } from './build-engine.mjs';
import { foreignSymbols, hideSymbols } from './hide-symbols.mjs';
import { main } from './main.mjs';
import { BuildError, requireNdk } from './requirements.mjs';

/** React Native's own minimum. */
const API = 24;
/** The clang of the NDK knows 32-bit ARM under another name than Rust; ld.lld wants to know what it links. */
const ABIS = {
  'arm64-v8a': { target: 'aarch64-linux-android', clang: 'aarch64-linux-android', emulation: 'aarch64linux' },
  'armeabi-v7a': { target: 'armv7-linux-androideabi', clang: 'armv7a-linux-androideabi', emulation: 'armelf_linux_eabi' },
  x86_64: { target: 'x86_64-linux-android', clang: 'x86_64-linux-android', emulation: 'elf_x86_64' },
  x86: { target: 'i686-linux-android', clang: 'i686-linux-android', emulation: 'elf_i386' },
};

main('build-android', () => {
  const { values } = parseArgs({
    options: { abi: { type: 'string', multiple: true }, ndk: { type: 'string' }, out: { type: 'string' }, ...SWITCHES },
  });
  const { abi: abis = Object.keys(ABIS), ...rest } = values;
  for (const abi of abis) {
    if (!Object.hasOwn(ABIS, abi)) throw new BuildError('BadArgument', `${abi} is not one of ${Object.keys(ABIS).join(', ')}`);
  }
  const bin = requireNdk(values.ndk ?? process.env.ANDROID_NDK_HOME);
  const work = mkdtempSync(join(tmpdir(), 'omnii-android-'));
  try {
    for (const abi of abis) build(abi, bin, work, rest);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
});

function build(abi, bin, work, { out, ...switches }) {
  const { target, clang, emulation } = ABIS[abi];
  const compiler = join(bin, `${clang}${API}-clang`);
  if (!existsSync(compiler)) throw new BuildError('NoNdk', `this NDK has no compiler for API ${API} (${compiler}): install a newer one`);
  const name = target.replaceAll('-', '_');
  const env = {
    [`CC_${name}`]: compiler,
    [`CXX_${name}`]: `${compiler}++`,
    [`AR_${name}`]: join(bin, 'llvm-ar'),
    [`RANLIB_${name}`]: join(bin, 'llvm-ranlib'),
    [`CARGO_TARGET_${name.toUpperCase()}_LINKER`]: compiler,
  };
  const built = buildEngine(target, work, { env, switches });
  const library = join(out ? resolve(out) : join(root, 'android'), 'libs', abi, 'libomnii_sync.a');
  const nm = join(bin, 'llvm-nm');
  mkdirSync(join(library, '..'), { recursive: true });
  hideSymbols(built.library, library, {
    ld: join(bin, 'ld.lld'),
    ldFlags: ['-m', emulation, '--whole-archive'],
    nm,
    objcopy: join(bin, 'llvm-objcopy'),
    ar: join(bin, 'llvm-ar'),
  });
  const foreign = foreignSymbols(library, nm);
  if (foreign.length > 0) {
    throw new BuildError('ForeignSymbols', `the library for ${abi} exports what is not ours: ${foreign.slice(0, 10).join(', ')}`);
  }
  copyBridge(built.include, out ? join(resolve(out), 'bridge') : join(root, 'cpp/bridge'));
  console.log(`build-android: ${abi} is in ${library}`);
}
