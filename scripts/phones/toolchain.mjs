// Rust and C for platforms that this machine is not: rustup's, or else Debian's own Rust, which has the sources of the standard
// library and builds it along. For checks only; what is published is built by build-android.mjs and build-ios.mjs.

import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { root } from '../root.mjs';
import { isInstalled } from '../system-packages.mjs';
import { BuildError } from './requirements.mjs';

const DEBIAN_SOURCES = '/usr/lib/rustlib/src/rust/library/Cargo.lock';

/** Machines, not phones, but the same processor: what is built for them runs here, under qemu. */
export const AARCH64 = 'aarch64-unknown-linux-gnu';
export const AARCH64_PREFIX = 'aarch64-linux-gnu-';

/**
 * What cargo needs to build for `target`: more arguments, and variables.
 * @param {string} target
 * @returns {{ args: string[], env: Record<string, string> }}
 */
export function rustFor(target) {
  if (hasTarget(target)) return { args: [], env: {} };
  if (hasDebianRust()) {
    return { args: ['-Zbuild-std=std,panic_unwind'], env: { PATH: `/usr/bin:${process.env.PATH}`, RUSTC_BOOTSTRAP: '1' } };
  }
  throw new BuildError('NoTarget', `Rust has no standard library for ${target}: rustup target add ${target}`);
}

/** Compilers of Debian's for `AARCH64`. */
export function aarch64Compilers() {
  const name = AARCH64.replaceAll('-', '_');
  return {
    [`CC_${name}`]: `${AARCH64_PREFIX}gcc`,
    [`CXX_${name}`]: `${AARCH64_PREFIX}g++`,
    [`AR_${name}`]: `${AARCH64_PREFIX}ar`,
    [`CARGO_TARGET_${name.toUpperCase()}_LINKER`]: `${AARCH64_PREFIX}gcc`,
  };
}

/** Compilers that only leave empty files: enough for a check of types, in which nothing is linked. */
export function noCompilers(target) {
  const name = target.replaceAll('-', '_');
  const compiler = join(root, 'scripts/phones/stand-in/compiler');
  // Any folder but /: without one the build scripts ask Xcode.
  return { [`CC_${name}`]: compiler, [`CXX_${name}`]: compiler, [`AR_${name}`]: compiler, [`RANLIB_${name}`]: compiler, SDKROOT: dirname(compiler) };
}

/** Debian's packages for all of this; `targets` are the triples that Rust is needed for. */
export function toolchainPackages(targets) {
  const rustIsThere = () => targets.every(hasTarget) || hasDebianRust();
  return [
    ...['rustc-web', 'cargo-web', 'rust-web-src'].map((name) => ({ name, why: 'Rust for other platforms', isThere: rustIsThere })),
    { name: 'gcc-aarch64-linux-gnu', why: 'C for 64-bit ARM', isThere: () => isInstalled(`${AARCH64_PREFIX}gcc`) },
    { name: 'g++-aarch64-linux-gnu', why: 'C++ for 64-bit ARM', isThere: () => isInstalled(`${AARCH64_PREFIX}g++`) },
    { name: 'libc6-dev-arm64-cross', why: 'C for 64-bit ARM', isThere: () => existsSync('/usr/aarch64-linux-gnu/include/stdio.h') },
    { name: 'lld', why: 'links as the NDK does', isThere: () => isInstalled('ld.lld') },
    { name: 'qemu-user', why: 'runs programs for 64-bit ARM', isThere: () => isInstalled('qemu-aarch64') },
  ];
}

function hasTarget(target) {
  const { stdout } = spawnSync('rustc', ['--print', 'target-libdir', '--target', target], { encoding: 'utf8' });
  return Boolean(stdout) && existsSync(stdout.trim());
}

function hasDebianRust() {
  return existsSync('/usr/bin/cargo') && existsSync(DEBIAN_SOURCES);
}
