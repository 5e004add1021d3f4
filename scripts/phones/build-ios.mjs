// Builds the engine for iOS on a Mac and leaves ios/OmniiSync.xcframework and the header of the bridge, where the podspec looks.
//
//   node scripts/phones/build-ios.mjs
//
// Needs Xcode, Rust with the targets below, and rustup's component llvm-tools.

import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { root } from '../host/hermes.mjs';
import { buildEngine } from './build-engine.mjs';
import { foreignSymbols, hideSymbols } from './hide-symbols.mjs';

const MINIMUM = '15.1';
const DEVICE = { target: 'aarch64-apple-ios', arch: 'arm64', sdk: 'iphoneos' };
const SIMULATORS = [
  { target: 'aarch64-apple-ios-sim', arch: 'arm64', sdk: 'iphonesimulator' },
  { target: 'x86_64-apple-ios', arch: 'x86_64', sdk: 'iphonesimulator' },
];

if (process.platform !== 'darwin') fail('iOS can only be built for on a Mac');
const sysroot = output('rustc', ['--print', 'sysroot']);
const host = /host: (\S+)/.exec(output('rustc', ['-vV']))[1];
const llvm = join(sysroot, 'lib/rustlib', host, 'bin');
const framework = join(root, 'ios/OmniiSync.xcframework');
const work = mkdtempSync(join(tmpdir(), 'omnii-ios-'));
try {
  const device = hidden(DEVICE);
  const simulators = join(work, 'simulators/libomnii_sync.a');
  mkdirSync(join(work, 'simulators'));
  execFileSync('lipo', ['-create', ...SIMULATORS.map(hidden), '-output', simulators]);
  rmSync(framework, { recursive: true, force: true });
  execFileSync('xcodebuild', ['-create-xcframework', '-library', device, '-library', simulators, '-output', framework], { stdio: 'inherit' });
} finally {
  rmSync(work, { recursive: true, force: true });
}
execFileSync(process.execPath, [join(root, 'scripts/phones/copy-bridge.mjs')], { stdio: 'inherit' });

function hidden({ target, arch, sdk }) {
  const library = join(work, target, 'libomnii_sync.a');
  mkdirSync(join(work, target));
  hideSymbols(buildEngine(target, { IPHONEOS_DEPLOYMENT_TARGET: MINIMUM }), library, {
    ld: output('xcrun', ['--sdk', sdk, '--find', 'ld']),
    ldFlags: ['-arch', arch, '-all_load'],
    nm: join(llvm, 'llvm-nm'),
    objcopy: join(llvm, 'llvm-objcopy'),
    ar: join(llvm, 'llvm-ar'),
  });
  const foreign = foreignSymbols(library, join(llvm, 'llvm-nm'));
  if (foreign.length > 0) fail(`the library for ${target} exports what is not ours: ${foreign.slice(0, 10).join(', ')}`);
  return library;
}

function output(command, args) {
  return execFileSync(command, args, { encoding: 'utf8' }).trim();
}

function fail(message) {
  console.error(`build-ios: ${message}`);
  process.exit(1);
}
