// Builds the engine for iOS on a Mac and leaves OmniiSync.xcframework and the headers of the bridge where the podspec looks.
//
//   node scripts/phones/build-ios.mjs [--out <folder>] [--sqlcipher] [--no-fts5]
//
// Needs Xcode, Rust with the targets below, and rustup's component llvm-tools. With --out nothing else of the package is written
// to: the framework goes there, and the headers to bridge/ in it.

import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { root } from '../root.mjs';
import { copyBridge } from './bridge.mjs';
import { buildEngine, SWITCHES } from './build-engine.mjs';
import { foreignSymbols, hideSymbols } from './hide-symbols.mjs';
import { main } from './main.mjs';
import { BuildError, requireLlvmTools, requireRust, requireXcode } from './requirements.mjs';

const MINIMUM = '15.1';
const DEVICE = { target: 'aarch64-apple-ios', arch: 'arm64', sdk: 'iphoneos', platform: 'ios' };
const SIMULATORS = [
  { target: 'aarch64-apple-ios-sim', arch: 'arm64', sdk: 'iphonesimulator', platform: 'ios-simulator' },
  { target: 'x86_64-apple-ios', arch: 'x86_64', sdk: 'iphonesimulator', platform: 'ios-simulator' },
];

main('build-ios', () => {
  const { values } = parseArgs({ options: { out: { type: 'string' }, ...SWITCHES } });
  requireXcode();
  for (const { target } of [DEVICE, ...SIMULATORS]) requireRust(target, values);
  const llvm = requireLlvmTools();
  const out = values.out ? resolve(values.out) : join(root, 'ios');
  const framework = join(out, 'OmniiSync.xcframework');
  const work = mkdtempSync(join(tmpdir(), 'omnii-ios-'));
  try {
    const device = hidden(DEVICE, llvm, work, values);
    const simulators = SIMULATORS.map((simulator) => hidden(simulator, llvm, work, values).library);
    const both = join(work, 'simulators/libomnii_sync.a');
    mkdirSync(join(work, 'simulators'));
    execFileSync('lipo', ['-create', ...simulators, '-output', both]);
    rmSync(framework, { recursive: true, force: true });
    mkdirSync(out, { recursive: true });
    execFileSync('xcodebuild', ['-create-xcframework', '-library', device.library, '-library', both, '-output', framework], { stdio: 'inherit' });
    copyBridge(device.include, values.out ? join(out, 'bridge') : join(root, 'cpp/bridge'));
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
  console.log(`build-ios: the engine is in ${framework}`);
});

function hidden({ target, arch, sdk, platform }, llvm, work, switches) {
  const library = join(work, 'hidden', target, 'libomnii_sync.a');
  mkdirSync(join(library, '..'), { recursive: true });
  const built = buildEngine(target, work, { env: { IPHONEOS_DEPLOYMENT_TARGET: MINIMUM }, switches });
  const xcrun = (what) => execFileSync('xcrun', ['--sdk', sdk, ...what], { encoding: 'utf8' }).trim();
  hideSymbols(built.library, library, {
    ld: xcrun(['--find', 'ld']),
    // As Xcode prelinks objects. Without a platform the linker takes that of the objects, which are not all of one version.
    ldFlags: ['-arch', arch, '-platform_version', platform, MINIMUM, xcrun(['--show-sdk-version']), '-all_load'],
    nm: join(llvm, 'llvm-nm'),
    objcopy: join(llvm, 'llvm-objcopy'),
    ar: join(llvm, 'llvm-ar'),
  });
  const foreign = foreignSymbols(library, join(llvm, 'llvm-nm'));
  if (foreign.length > 0) {
    throw new BuildError('ForeignSymbols', `the library for ${target} exports what is not ours: ${foreign.slice(0, 10).join(', ')}`);
  }
  return { library, include: built.include };
}
