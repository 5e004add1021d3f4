// What can be checked of the phone builds without an NDK, Xcode or the network: the example app after `expo prebuild` links our
// module on both platforms, and all C++ that is ours or generated for us compiles as each platform lays it out.
//
//   node scripts/check-phones.mjs
//
// Ends with `N passed, N failed`. Not shown here: that anything links or runs on a phone. On the desktop the prefab packages of
// React Native for Android are replaced by scripts/phones/stand-in, and CocoaPods' folders of headers are made by hand.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { cargoEnv, targetDirectory } from './cargo.mjs';
import { root } from './host/hermes.mjs';
import { checkManifest } from './phones/android.mjs';
import { autolinking, prebuiltApp } from './phones/app.mjs';
import { copyBridge } from './phones/bridge.mjs';
import { misaligned } from './phones/elf.mjs';
import { writeAutolinking, writeCodegen } from './phones/gradle-plugin.mjs';
import { hideSymbols } from './phones/hide-symbols.mjs';
import { ffiInclude } from './phones/host-bridge.mjs';
import { checkIos } from './phones/ios.mjs';
import { checkPodspec } from './phones/podspec.mjs';

const NAME = '@omnii/sync';
const ABI = 'x86_64';
const reactNative = join(root, 'node_modules/react-native');
const standIn = join(root, 'scripts/phones/stand-in');

const work = mkdtempSync(join(tmpdir(), 'omnii-phones-'));
/** The package as an app has it: with what the package ships and the repository only makes. */
const shipped = join(work, 'package');
let app;
let passed = 0;
let failed = 0;

try {
  await check('expo prebuild makes both native projects', () => {
    app = prebuiltApp(work);
    for (const made of ['android/app/build.gradle', 'ios/Podfile']) assert.ok(existsSync(join(app, made)), `${made} is missing`);
  });
  await check('Android autolinking finds the module', () => {
    const { android } = autolinking(app, 'android').dependencies[NAME]?.platforms ?? {};
    assert.ok(android, 'the module is not there');
    assert.equal(android.libraryName, 'OmniiSyncSpec');
    assert.equal(android.packageInstance, 'new OmniiSyncPackage()');
    assert.equal(android.packageImportPath, 'import dev.omnii.sync.OmniiSyncPackage;');
    assert.equal(android.cxxModuleHeaderName, 'OmniiSyncModule');
    assert.ok(existsSync(android.cxxModuleCMakeListsPath), 'the CMakeLists.txt that it names is missing');
    const cmake = readFileSync(android.cxxModuleCMakeListsPath, 'utf8');
    assert.ok(cmake.includes(`add_library(${android.cxxModuleCMakeListsModuleName} `), 'the target that it names is missing');
  });
  await check('iOS autolinking finds the module', () => {
    const { ios } = autolinking(app, 'ios').dependencies[NAME]?.platforms ?? {};
    assert.ok(ios?.podspecPath.endsWith('/OmniiSync.podspec') && existsSync(ios.podspecPath), 'its podspec is not there');
  });
  await check('Android: the app’s CMake project links the module', linkForAndroid);
  await check('expo prebuild applies the config plugin', configure);
  await checkManifest(check);
  await checkPodspec(check, work);
  await checkIos(check, () => app, work);
} finally {
  rmSync(work, { recursive: true, force: true });
}
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;

async function check(name, body) {
  try {
    await body();
    passed += 1;
    console.log(`ok   ${name}`);
  } catch (error) {
    failed += 1;
    console.log(`FAIL ${name}\n${error.stdout ?? ''}${error.stderr ?? ''}\n${error.message}`);
  }
}

/** That prebuild gets to the plugin; what each option does is in js/test/unit/configPlugin.test.ts. */
function configure() {
  const options = { sqlcipher: true, android: { cleartextHosts: ['10.0.2.2'] }, ios: { fileProtection: 'complete' } };
  const configured = prebuiltApp(join(work, 'configured'), options);
  for (const [path, set] of [
    ['ios/OmniiSyncExample/Info.plist', /<key>OmniiSyncFileProtection<\/key>\s*<string>complete<\/string>/],
    ['ios/Podfile.properties.json', /"omniiSync\.sqlcipher": "true"/],
    ['android/gradle.properties', /^omniiSync\.sqlcipher=true$/m],
    ['android/app/src/main/AndroidManifest.xml', /android:networkSecurityConfig="@xml\/omnii_sync_network_security"/],
  ]) {
    assert.match(readFileSync(join(configured, path), 'utf8'), set, path);
    assert.doesNotMatch(readFileSync(join(app, path), 'utf8'), set, `${path} without the plugin`);
  }
}

function linkForAndroid() {
  for (const part of ['android', 'cpp', 'js', 'package.json']) {
    cpSync(join(root, part), join(shipped, part), { recursive: true, filter: (path) => !path.startsWith(join(root, 'js/test')) });
  }
  copyBridge(ffiInclude(), join(shipped, 'cpp/bridge'));
  const engine = join(shipped, 'android/libs', ABI, 'libomnii_sync.a');
  mkdirSync(dirname(engine), { recursive: true });
  // The library for this machine stands in for the one for phones.
  tool('cargo', ['build', '--release', '--locked', '--quiet', '-p', 'omnii-sync-ffi'], cargoEnv());
  hideSymbols(join(targetDirectory, 'release/libomnii_sync.a'), engine);

  const { android } = JSON.parse(JSON.stringify(autolinking(app, 'android').dependencies[NAME].platforms).replaceAll(`"${root}/`, `"${shipped}/`));
  const build = join(app, 'android/app/build');
  writeAutolinking([android], join(build, 'generated/autolinking/src/main/jni'));
  writeCodegen(shipped, dirname(dirname(android.cmakeListsPath)));
  const out = join(work, 'cmake');
  tool('cmake', [
    '-G', 'Ninja', '-S', join(standIn, 'jni'), '-B', out, `-DANDROID_ABI=${ABI}`, '-DCMAKE_BUILD_TYPE=Debug',
    `-DPROJECT_ROOT_DIR=${join(app, 'android')}`, `-DPROJECT_BUILD_DIR=${build}`, `-DREACT_ANDROID_DIR=${join(reactNative, 'ReactAndroid')}`,
    `-DReactAndroid_DIR=${standIn}`, `-Dfbjni_DIR=${standIn}`, '-DCMAKE_POSITION_INDEPENDENT_CODE=ON',
    // The compiler of the NDK is a clang, too.
    '-DCMAKE_CXX_COMPILER=clang++', '-DCMAKE_C_COMPILER=clang',
  ]);
  tool('cmake', ['--build', out]);
  // React Native's own functions are in another library on a phone; ours must all be here.
  const missing = tool('nm', ['-D', '--undefined-only', join(out, 'libappmodules.so')])
    .split('\n')
    .filter((line) => /omnii|cxxbridge|sqlite3_/.test(line));
  assert.deepEqual(missing, [], 'the app’s library lacks functions of ours');
  const shown = tool('nm', ['-D', '--defined-only', join(out, 'libappmodules.so')]);
  assert.match(shown, /OmniiSyncModule/, 'the module is not in the app’s library');
  assert.doesNotMatch(shown, /sqlite3_/, 'the app’s library exports SQLite');
  assert.equal(misaligned(join(out, 'libappmodules.so')), undefined);
}

function tool(command, args, env = process.env) {
  return execFileSync(command, args, { cwd: root, env, encoding: 'utf8', maxBuffer: 1 << 28, stdio: ['ignore', 'pipe', 'pipe'] });
}
