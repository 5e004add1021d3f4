// What the machine must have to build the engine. Each function answers where the thing is, or throws a `BuildError` whose one
// line says what to do: these lines end up in the output of Gradle and CocoaPods, in front of people who know no Rust.

import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { delimiter, join } from 'node:path';
import { root } from '../root.mjs';

/**
 * `code` is one of: BadArgument, BuildFailed, ForeignSymbols, NoCargo, NoLlvmTools, NoNdk, NoTarget, NoTool, NoXcode, OldRust,
 * WrongSystem.
 */
export class BuildError extends Error {
  constructor(code, message) {
    super(message);
    this.code = code;
  }
}

/** Rust with the standard library of `target`, and what SQLCipher's OpenSSL needs if that is to be built. */
export function requireRust(target, { sqlcipher = false } = {}) {
  // Android Studio and Xcode do not start with the PATH of a terminal.
  const bin = join(process.env.CARGO_HOME || join(homedir(), '.cargo'), 'bin');
  if (!output('cargo', ['--version']) && existsSync(join(bin, 'cargo'))) process.env.PATH += `${delimiter}${bin}`;
  if (!output('cargo', ['--version']) || !output('rustc', ['--version'])) {
    throw new BuildError('NoCargo', 'building the engine needs Rust, and there is no cargo: install it from https://rustup.rs');
  }
  const needed = /^rust-version = "(.+)"$/m.exec(readFileSync(join(root, 'Cargo.toml'), 'utf8'))[1];
  const installed = /^rustc (\S+)/.exec(output('rustc', ['--version']))[1];
  if (installed.localeCompare(needed, 'en', { numeric: true }) < 0) {
    throw new BuildError('OldRust', `Rust ${installed} is too old, ${needed} is needed: rustup update stable`);
  }
  const library = output('rustc', ['--print', 'target-libdir', '--target', target]);
  if (!library || !existsSync(library)) {
    throw new BuildError('NoTarget', `Rust has no standard library for ${target}: rustup target add ${target}`);
  }
  const missing = ['perl', 'make'].filter((tool) => sqlcipher && !output(tool, ['--version']));
  if (missing.length > 0) throw new BuildError('NoTool', `SQLCipher is built with OpenSSL, which needs ${missing.join(' and ')}: install it`);
}

/** The folder of the NDK's compilers and tools. */
export function requireNdk(ndk) {
  if (process.platform === 'win32') {
    throw new BuildError('WrongSystem', 'the engine can be built on Linux and macOS only: use WSL, or the compiled engine');
  }
  if (!ndk) throw new BuildError('NoNdk', 'where is the NDK? Set ANDROID_NDK_HOME, or pass --ndk');
  const hosts = join(ndk, 'toolchains/llvm/prebuilt');
  const host = existsSync(hosts) && readdirSync(hosts).find((name) => existsSync(join(hosts, name, 'bin')));
  if (!host) throw new BuildError('NoNdk', `${ndk} is not an NDK: install one with Android Studio's SDK Manager, then set ANDROID_NDK_HOME or pass --ndk`);
  return join(hosts, host, 'bin');
}

export function requireXcode() {
  if (process.platform !== 'darwin') throw new BuildError('WrongSystem', 'the engine for iOS can be built on a Mac only');
  if (!output('xcodebuild', ['-version'])) {
    throw new BuildError('NoXcode', 'building the engine needs Xcode: install it, then sudo xcode-select -s /Applications/Xcode.app');
  }
}

/** The folder of Rust's LLVM tools, which can do with Mach-O what Apple's cannot. After `requireRust`. */
export function requireLlvmTools() {
  const host = /^host: (\S+)$/m.exec(output('rustc', ['-vV']))?.[1] ?? '';
  const llvm = join(output('rustc', ['--print', 'sysroot']), 'lib/rustlib', host, 'bin');
  if (!existsSync(join(llvm, 'llvm-objcopy'))) {
    throw new BuildError('NoLlvmTools', 'Rust has no LLVM tools: rustup component add llvm-tools');
  }
  return llvm;
}

/** What a program says, without the space around it; '' if there is none or it fails. */
function output(command, args) {
  const { status, stdout } = spawnSync(command, args, { cwd: root, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
  return status === 0 ? stdout.trim() : '';
}
