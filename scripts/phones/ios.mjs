// The part of iOS, as far as it goes without Apple's headers: React Native's codegen for a whole app names our provider; cpp/
// compiles with the folders of headers that CocoaPods makes; ios/ is type-checked with React Native's own headers and with
// stand-ins for Apple's, which declare what is used and no more. Nothing is linked.

import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { root } from '../root.mjs';
import { codegenForIos } from './app.mjs';
import { copyBridge } from './bridge.mjs';
import { ffiInclude } from './host-bridge.mjs';

const reactNative = join(root, 'node_modules/react-native');
const common = join(reactNative, 'ReactCommon');
const standIn = join(root, 'scripts/phones/stand-in');
/** Headers/Public of CocoaPods, of the pods whose headers cpp/ and ios/ use. */
const PODS = [
  [join(common, 'jsi/jsi'), 'React-jsi/jsi'],
  [join(common, 'callinvoker/ReactCommon'), 'React-callinvoker/ReactCommon'],
  [join(common, 'react/nativemodule/core/ReactCommon'), 'ReactCommon/ReactCommon'],
  [join(common, 'react/bridging'), 'ReactCommon/react/bridging'],
  [join(common, 'react/debug'), 'React-debug/react/debug'],
  [join(common, 'react/utils'), 'React-utils/react/utils'],
  [join(common, 'react/timing'), 'React-timing/react/timing'],
  [join(common, 'reactperflogger/reactperflogger'), 'React-perflogger/reactperflogger'],
  [join(common, 'jsinspector-modern'), 'React-jsinspector/jsinspector-modern'],
];
/** Only for Objective-C++: each pod has a folder of that name, and clang looks into all of them. */
const APPLE_PODS = [
  [join(reactNative, 'React/Base'), 'React-Core/React'],
  [join(common, 'react/nativemodule/core/platform/ios/ReactCommon'), 'React-NativeModulesApple/ReactCommon'],
  [join(reactNative, 'ReactApple/Libraries/RCTFoundation/RCTDeprecation/Exported'), 'RCTDeprecation/RCTDeprecation'],
];
// The runtime decides which of the language's features there are; no SDK is needed for it.
const OBJECTIVE_C = [
  '-x', 'objective-c++', '-fobjc-arc', '-fblocks', '-fobjc-runtime=ios-15.1', '-Wall', '-Wextra', '-Werror', '-Wno-unused-parameter',
  '-Werror=objc-method-access', '-Werror=undeclared-selector', '-Werror=nullable-to-nonnull-conversion',
];

/**
 * @param {(name: string, body: () => void) => Promise<void>} check
 * @param {() => string} app answers the folder of a prebuilt app
 * @param {string} work a folder for what this makes
 */
export async function checkIos(check, app, work) {
  let flags;
  await check('iOS: generated code names the provider, and cpp/ compiles with its headers', () => {
    const generated = codegenForIos(app(), join(work, 'ios'));
    const providers = readFileSync(join(generated, 'RCTModuleProviders.mm'), 'utf8');
    const [, provider] = /@"OmniiSync": @"(\w+)"/.exec(providers) ?? [];
    assert.ok(provider, 'RCTModuleProviders.mm does not name the module');
    assert.match(readFileSync(join(root, `ios/${provider}.mm`), 'utf8'), new RegExp(`@implementation ${provider}\\b`));
    flags = layOut(work, generated);
    for (const name of sources('cpp', '.cpp')) clang([...flags.cpp, name]);
    // As in apps whose pods are frameworks, where the generated header is found only under the name of its pod.
    const asFramework = flags.cpp.map((flag) => (flag === join(flags.pods, 'ReactCodegen') ? flags.pods : flag));
    clang([...asFramework, join(root, 'cpp/Generation.cpp')]);
  });
  await check('iOS: the provider type-checks, with stand-ins for Apple’s headers', () => {
    assert.ok(flags, 'there are no headers');
    for (const [header, declared] of declaredByStandIns()) {
      assert.ok(readFileSync(header, 'utf8').includes(declared), `${header} does not declare ${declared}`);
    }
    const mm = sources('ios', '.mm');
    assert.ok(mm.length > 0);
    for (const name of mm) clang([...flags.apple, name]);
  });
  await check('iOS: a misspelt selector, name or constant of Apple’s is found', () => {
    const text = readFileSync(join(root, 'ios/OmniiSyncProvider.mm'), 'utf8');
    for (const [right, wrong, complaint] of [
      ['beginBackgroundTaskWithName:', 'beginBackgroundTaskNamed:', /may not respond to|no visible @interface/],
      ['@selector(letGo)', '@selector(letsGo)', /undeclared selector/],
      ['ofItemAtPath:directory', 'ofItem:directory', /no visible @interface/],
      ['NSURLIsExcludedFromBackupKey', 'NSURLExcludedFromBackupKey', /use of undeclared identifier/],
      ['params.jsInvoker', 'params.invoker', /no member named/],
    ]) {
      const broken = join(work, 'Broken.mm');
      writeFileSync(broken, text.replace(right, wrong));
      assert.ok(text.includes(right), `the provider has no ${right} any more: break something else`);
      const { status, stderr } = spawnSync('clang++', [...flags.apple, broken], { encoding: 'utf8' });
      assert.notEqual(status, 0, `${wrong} is taken`);
      assert.match(stderr, complaint);
    }
  });
}

/** Makes the folders and answers the flags for both languages. */
function layOut(work, generated) {
  const pods = join(work, 'Headers');
  const bridge = join(work, 'bridge');
  copyBridge(ffiInclude(), bridge);
  const include = (list) => list.flatMap(([, to]) => ['-isystem', join(pods, to.split('/')[0])]);
  const link = ([from, to]) => {
    assert.ok(existsSync(from), `React Native has no ${from} any more`);
    mkdirSync(dirname(join(pods, to)), { recursive: true });
    symlinkSync(from, join(pods, to));
  };
  [...PODS, ...APPLE_PODS, [generated, 'ReactCodegen']].forEach(link);
  const ours = ['-I', join(root, 'cpp'), '-I', bridge];
  const base = ['-std=c++20', '-fsyntax-only', '-DNDEBUG', '-isystem', join(standIn, 'include')];
  const headers = [...new Set(include(PODS).filter((flag) => flag !== '-isystem'))].flatMap((folder) => ['-isystem', folder]);
  const cpp = [...base, ...headers, '-isystem', join(pods, 'ReactCodegen'), ...ours];
  const apple = [...OBJECTIVE_C, '-isystem', join(standIn, 'ios'), ...cpp, ...include(APPLE_PODS), '-I', join(root, 'ios')];
  return { pods, cpp, apple };
}

/** What our stand-ins for React Native's own headers declare, and the header that has to declare it as well. */
function declaredByStandIns() {
  const folder = join(standIn, 'ios/React');
  return readdirSync(folder).flatMap((name) =>
    [...readFileSync(join(folder, name), 'utf8').matchAll(/^RCT_EXTERN .*;$/gm)].map(([line]) => [join(reactNative, 'React/Base', name), line])
  );
}

function sources(folder, extension) {
  const names = readdirSync(join(root, folder)).filter((name) => name.endsWith(extension));
  return names.map((name) => join(root, folder, name));
}

function clang(args) {
  execFileSync('clang++', args, { cwd: root, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
}
