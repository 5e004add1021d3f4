// What can be checked for phones with compilers for other processors: slower than what `npm test` does, and with more of Debian's
// packages, which it installs.
//
//   npm run check:phones
//
// The engine and the bridge are type-checked for all of Android's processors and for iOS; the engine is built for 64-bit ARM as
// phones get it, and weighed; symbols are hidden in objects for iOS; the host for 64-bit ARM runs a sync under qemu; Gradle's script
// and the Java classes are read by Groovy and javac. Ends with `N passed, N failed`. The first run builds Hermes a second time.

import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { cacheDirectory, cargoEnv } from './cargo.mjs';
import { checkJavaAndGradle, GROOVY, JAVA_PACKAGES } from './phones/android.mjs';
import { buildEngine } from './phones/build-engine.mjs';
import { checkEngine } from './phones/check-engine.mjs';
import { MOST_BYTES } from './phones/link-engine.mjs';
import { checkMachO, LLVM } from './phones/mach-o.mjs';
import { AARCH64, AARCH64_PREFIX, aarch64Compilers, noCompilers, rustFor, toolchainPackages } from './phones/toolchain.mjs';
import { run } from './process.mjs';
import { elapsed, setup } from './setup.mjs';
import { installPackages, isInstalled } from './system-packages.mjs';

/** Both iOS simulators compile what the device does. */
const PHONES = ['aarch64-linux-android', 'armv7-linux-androideabi', 'x86_64-linux-android', 'i686-linux-android', 'aarch64-apple-ios'];
const CHECK_MS = 20 * 60_000;

const work = mkdtempSync(join(tmpdir(), 'omnii-targets-'));
let passed = 0;
let failed = 0;

try {
  await setup();
  await installPackages(
    [
      ...toolchainPackages([...PHONES, AARCH64]),
      { name: 'clang', why: 'objects for iOS', isThere: () => isInstalled('clang++') },
      { name: `llvm-${LLVM}`, why: 'tools for the library of iOS', isThere: () => isInstalled(`llvm-objcopy-${LLVM}`) },
      { name: JAVA_PACKAGES[0], why: 'Java classes', isThere: () => isInstalled('javac') },
      { name: JAVA_PACKAGES[1], why: 'Gradle’s script', isThere: () => existsSync(GROOVY) },
    ],
    { say: console.log }
  );
  await checkJavaAndGradle(check, work);
  await checkMachO(check, work);
  for (const target of PHONES) await check(`engine and bridge type-check for ${target}`, () => typeCheck(target));
  await check('the engine for 64-bit ARM: its symbols, its size, and what it is made of', () => {
    const toolchain = rustFor(AARCH64);
    const { library } = buildEngine(AARCH64, join(work, 'engine'), { toolchain, env: aarch64Compilers() });
    // As android/CMakeLists.txt has it linked.
    const compiler = ['clang++', '--target=aarch64-linux-gnu', '-fuse-ld=lld'];
    const lines = checkEngine(library, work, { prefix: AARCH64_PREFIX, compiler, flags: ['-Wl,--pack-dyn-relocs=android'], mostBytes: MOST_BYTES.phone });
    for (const line of lines) console.log(`     ${line}`);
  });
  await check('host, module and engine sync on 64-bit ARM, under qemu', async () => {
    const { syncUnderQemu } = await import('./phones/emulated.mjs');
    await syncUnderQemu();
  });
} catch (error) {
  failed += 1;
  console.error(`check-targets: ${error.message}`);
} finally {
  rmSync(work, { recursive: true, force: true });
}
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;

/** Nothing is linked, so no compiler of the platform is needed. */
async function typeCheck(target) {
  const directory = join(cacheDirectory, 'target-phones-check');
  const { args, env } = rustFor(target);
  const all = { ...cargoEnv(), ...noCompilers(target), ...env, CARGO_TARGET_DIR: directory, CARGO_BUILD_BUILD_DIR: directory };
  const code = await run('cargo', ['check', '--locked', '--quiet', ...args, '--target', target, '-p', 'omnii-sync-ffi'], { env: all, timeoutMs: CHECK_MS });
  if (code !== 0) throw new Error(`cargo check for ${target} failed, see above`);
}

async function check(name, body) {
  const began = Date.now();
  try {
    await body();
    passed += 1;
    console.log(`ok   ${name} (${elapsed(began)})`);
  } catch (error) {
    failed += 1;
    console.log(`FAIL ${name}\n${error.stdout ?? ''}${error.stderr ?? ''}\n${error.message}`);
  }
}
