// The desktop host for 64-bit ARM, the processor of phones, run under qemu: Hermes, React Native's core, the module and the engine,
// on a sync with the real backend. Shows what depends on the processor: alignment, sizes of types, atomics as far as qemu goes.

import { chmodSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { cacheDirectory, cargoEnv, hermescBinary, HOST, serverBinary } from '../cargo.mjs';
import { root } from '../root.mjs';
import { run } from '../process.mjs';
import { runScript } from '../host/run.mjs';
import { AARCH64, AARCH64_PREFIX, aarch64Compilers, rustFor } from './toolchain.mjs';

/** Its own folder, for all of cargo's results: Hermes for another processor takes as long as for this one. */
const directory = join(cacheDirectory, 'target-aarch64');
const SYSROOT = '/usr/aarch64-linux-gnu';
const BUILD_MS = 60 * 60_000;
const DEMO_MS = 300_000;

/** Builds the host, and runs the demo in it. */
export async function syncUnderQemu() {
  const host = await buildHost();
  const work = mkdtempSync(join(tmpdir(), 'omnii-qemu-'));
  try {
    const binary = join(work, 'omnii-host');
    writeFileSync(binary, `#!/bin/sh\nexec qemu-aarch64 -L ${SYSROOT} '${host}' "$@"\n`);
    chmodSync(binary, 0o755);
    process.env.OMNII_SERVER = serverBinary();
    const data = join(work, 'data');
    mkdirSync(data);
    const code = await runScript(join(root, 'scripts/demo/main.ts'), [data], { binary, timeoutMs: DEMO_MS });
    if (code !== 0) throw new Error(`the demo ended with ${code} under qemu`);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

async function buildHost() {
  const { args, env } = rustFor(AARCH64);
  const name = AARCH64.replaceAll('-', '_');
  const arguments_ = ['build', ...args, '--target', AARCH64, ...HOST];
  const host = join(directory, AARCH64, 'release/omnii-host');
  if (!existsSync(host)) console.log('     building Hermes for 64-bit ARM, 10 to 20 minutes on 2 cores, once');
  const code = await run('cargo', [...arguments_, ...(existsSync(host) ? ['--quiet'] : [])], {
    env: {
      ...cargoEnv(),
      ...aarch64Compilers(),
      ...env,
      CARGO_TARGET_DIR: directory,
      CARGO_BUILD_BUILD_DIR: directory,
      [`CMAKE_TOOLCHAIN_FILE_${name}`]: toolchainFile(),
      [`CARGO_TARGET_${name.toUpperCase()}_RUSTFLAGS`]: `-Lnative=${emptyIcu()}`,
      [`BINDGEN_EXTRA_CLANG_ARGS_${name}`]: `--sysroot=${SYSROOT} -I${SYSROOT}/include`,
    },
    timeoutMs: BUILD_MS,
  });
  if (code !== 0) throw new Error('the host for 64-bit ARM could not be built, see above');
  return host;
}

/** For Hermes' CMake: its compiler of JavaScript must run on this machine, so it is the one that setup has built. */
function toolchainFile() {
  const path = join(directory, 'aarch64.cmake');
  mkdirSync(directory, { recursive: true });
  writeFileSync(
    path,
    `set(CMAKE_SYSTEM_NAME Linux)
set(CMAKE_SYSTEM_PROCESSOR aarch64)
set(CMAKE_C_COMPILER ${AARCH64_PREFIX}gcc)
set(CMAKE_CXX_COMPILER ${AARCH64_PREFIX}g++)
set(CMAKE_FIND_ROOT_PATH ${SYSROOT})
set(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM NEVER)
set(CMAKE_FIND_ROOT_PATH_MODE_LIBRARY ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_INCLUDE ONLY)
set(IMPORT_HOST_COMPILERS "${join(dirname(hermescBinary()), '../build/ImportHostCompilers.cmake')}" CACHE FILEPATH "")
set(HERMES_UNICODE_LITE ON CACHE BOOL "")
`
  );
  return path;
}

/** Hermes is built without ICU, which Debian has for this machine's processor only; the host's build script still names it. */
function emptyIcu() {
  const folder = join(directory, 'icu');
  mkdirSync(folder, { recursive: true });
  for (const library of ['icui18n', 'icuuc', 'icudata']) writeFileSync(join(folder, `lib${library}.a`), '!<arch>\n');
  return folder;
}
