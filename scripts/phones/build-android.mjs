// Builds the engine for Android with an NDK and leaves it, with the header of the bridge, where android/CMakeLists.txt looks.
//
//   node scripts/phones/build-android.mjs [--abi <abi>]… [--ndk <folder>]
//
// Without --abi, for all four. The NDK is --ndk, or else ANDROID_NDK_HOME. Needs Rust with the targets below.

import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { root } from '../host/hermes.mjs';
import { buildEngine } from './build-engine.mjs';
import { foreignSymbols, hideSymbols } from './hide-symbols.mjs';

/** React Native's own minimum. */
const API = 24;
/** The clang of the NDK knows 32-bit ARM under another name than Rust; ld.lld wants to know what it links. */
const ABIS = {
  'arm64-v8a': { target: 'aarch64-linux-android', clang: 'aarch64-linux-android', emulation: 'aarch64linux' },
  'armeabi-v7a': { target: 'armv7-linux-androideabi', clang: 'armv7a-linux-androideabi', emulation: 'armelf_linux_eabi' },
  x86_64: { target: 'x86_64-linux-android', clang: 'x86_64-linux-android', emulation: 'elf_x86_64' },
  x86: { target: 'i686-linux-android', clang: 'i686-linux-android', emulation: 'elf_i386' },
};

const { values } = parseArgs({ options: { abi: { type: 'string', multiple: true }, ndk: { type: 'string' } } });
const ndk = values.ndk ?? process.env.ANDROID_NDK_HOME ?? fail('where is the NDK? Set ANDROID_NDK_HOME, or pass --ndk');
const hosts = join(ndk, 'toolchains/llvm/prebuilt');
if (!existsSync(hosts)) fail(`${ndk} is not an NDK`);
const bin = join(hosts, readdirSync(hosts)[0], 'bin');
const nm = join(bin, 'llvm-nm');

for (const abi of values.abi ?? Object.keys(ABIS)) {
  const { target, clang, emulation } = ABIS[abi] ?? fail(`${abi} is not one of ${Object.keys(ABIS).join(', ')}`);
  const compiler = join(bin, `${clang}${API}-clang`);
  const name = target.replaceAll('-', '_');
  const built = buildEngine(target, {
    [`CC_${name}`]: compiler,
    [`CXX_${name}`]: `${compiler}++`,
    [`AR_${name}`]: join(bin, 'llvm-ar'),
    [`CARGO_TARGET_${name.toUpperCase()}_LINKER`]: compiler,
  });
  const library = join(root, 'android/libs', abi, 'libomnii_sync.a');
  mkdirSync(join(library, '..'), { recursive: true });
  hideSymbols(built, library, {
    ld: join(bin, 'ld.lld'),
    ldFlags: ['-m', emulation, '--whole-archive', '--force-group-allocation'],
    nm,
    objcopy: join(bin, 'llvm-objcopy'),
    ar: join(bin, 'llvm-ar'),
  });
  const foreign = foreignSymbols(library, nm);
  if (foreign.length > 0) fail(`the library for ${abi} exports what is not ours: ${foreign.slice(0, 10).join(', ')}`);
  console.log(`build-android: ${abi} is in ${library}`);
}
execFileSync(process.execPath, [join(root, 'scripts/phones/copy-bridge.mjs')], { stdio: 'inherit' });

function fail(message) {
  console.error(`build-android: ${message}`);
  process.exit(1);
}
