// Evaluates OmniiSync.podspec in a folder that holds what `npm pack` ships, with Debian's Ruby, React Native's own functions and a
// stand-in for CocoaPods (evaluate-podspec.rb). A name that CocoaPods does not know, a pattern without files or a folder that
// does not exist fails here, not on somebody's Mac.

import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { root } from '../host/hermes.mjs';
import { copyBridge, ffiInclude } from './bridge.mjs';

const FRAMEWORK = 'ios/OmniiSync.xcframework';
/** Where the headers and functions come from that the C++ and the provider use. */
const PODS = ['React-Core', 'ReactCodegen', 'ReactCommon/turbomodule/core', 'React-NativeModulesApple', 'React-jsi'];

/**
 * @param {(name: string, body: () => void) => Promise<void>} check
 * @param {string} work a folder for what this makes
 */
export async function checkPodspec(check, work) {
  const shipped = join(work, 'pod');
  const app = join(work, 'pod-app');
  const framework = join(shipped, FRAMEWORK);
  const properties = join(app, 'Podfile.properties.json');

  await check('the podspec sets what CocoaPods knows, and its patterns match what is shipped', () => {
    mkdirSync(app, { recursive: true });
    layOut(shipped);
    mkdirSync(framework, { recursive: true });
    const { attributes, files, commands, minimum } = evaluated(shipped, app);
    assert.deepEqual(commands, [], 'it builds the engine though that is there');
    assert.deepEqual(files.vendored_frameworks, { [FRAMEWORK]: [FRAMEWORK] });
    assert.ok(Object.keys(files.source_files).length > 0, 'it has no sources');
    for (const [kind, patterns] of Object.entries(files)) {
      for (const [pattern, matches] of Object.entries(patterns)) {
        assert.ok(matches.length > 0, `${kind}: nothing matches ${pattern}`);
        assert.deepEqual(matches.filter((file) => /test/i.test(file)), [], `${kind}: tests are shipped`);
      }
    }
    const sources = Object.values(files.source_files).flat();
    for (const name of ['ios/OmniiSyncProvider.mm', 'cpp/OmniiSyncModule.cpp', 'cpp/bridge/omnii-sync-ffi/src/lib.rs.h']) {
      assert.ok(sources.includes(name), `${name} is not among the sources`);
    }
    const shown = sources.filter((file) => file.endsWith('.h') && !Object.values(files.private_header_files).flat().includes(file));
    assert.deepEqual(shown, [], 'C++ headers that Swift would have to read');

    assert.deepEqual(attributes.platforms, minimum, 'other platforms than React Native’s');
    const built = /^const MINIMUM = '(.+)';$/m.exec(readFileSync(join(root, 'scripts/phones/build-ios.mjs'), 'utf8'))?.[1];
    assert.equal(built, minimum.ios, 'the engine is built for another version of iOS');
    for (const pod of PODS) assert.ok(Object.hasOwn(attributes.dependencies, pod), `it does not depend on ${pod}`);
    assert.equal(attributes.version, JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')).version);

    const paths = [attributes.pod_target_xcconfig.HEADER_SEARCH_PATHS].flat().join(' ');
    const ours = [...paths.matchAll(/"\$\(PODS_TARGET_SRCROOT\)\/([^"]*)"/g)].map(([, path]) => path);
    assert.ok(ours.includes('cpp/bridge'), 'the header of the bridge would not be found');
    for (const path of ours) assert.ok(existsSync(join(shipped, path)), `${path}, where it looks for headers, does not exist`);
    assert.ok(paths.includes('$(PODS_ROOT)/'), 'the search paths of React Native are lost');
  });
  await check('the podspec without a compiled engine says what to do', () => {
    rmSync(framework, { recursive: true });
    assert.match(refused(shipped, app), /^RuntimeError: @omnii\/sync: there is no engine for iOS .*"omniiSync\.buildFromSource": "true"/m);
  });
  await check('the podspec builds the engine if the app says so', () => {
    writeFileSync(properties, JSON.stringify({ 'omniiSync.buildFromSource': 'true' }));
    const builds = ({ commands }) =>
      commands.flat().filter((argument) => argument === join(shipped, 'scripts/phones/build-ios.mjs')).length === 1;
    assert.ok(builds(evaluated(shipped, app)), 'it does not call build-ios.mjs');
    assert.match(refused(shipped, app, { STAND_IN_SYSTEM: 'false' }), /@omnii\/sync: the engine could not be built/);
    writeFileSync(properties, JSON.stringify({ 'omniiSync.buildFromSource': 'false' }));
    assert.match(refused(shipped, app), /there is no engine for iOS/);
    rmSync(properties);
    assert.ok(builds(evaluated(shipped, app, { OMNII_SYNC_BUILD_FROM_SOURCE: '1' })), 'it does not hear the environment');
  });
  await check('the podspec cannot misspell an attribute', () => {
    const text = readFileSync(join(shipped, 'OmniiSync.podspec'), 'utf8');
    const wrong = text.replace('s.source_files =', 's.source_file =');
    assert.notEqual(wrong, text);
    mkdirSync(framework, { recursive: true });
    const folder = mkdtempSync(join(work, 'misspelt-'));
    for (const name of ['package.json', 'ios']) cpSync(join(shipped, name), join(folder, name), { recursive: true });
    writeFileSync(join(folder, 'OmniiSync.podspec'), wrong);
    assert.match(refused(folder, app), /NoMethodError: undefined method `source_file='/);
  });
}

/** What the package brings to an app, but for lib/, and with the header of the bridge, which only packing makes. */
function layOut(folder) {
  // Packing would build it all.
  const listed = execFileSync('npm', ['pack', '--dry-run', '--json', '--ignore-scripts'], { cwd: root, encoding: 'utf8', maxBuffer: 1 << 26, stdio: ['ignore', 'pipe', 'ignore'] });
  for (const { path } of JSON.parse(listed)[0].files.filter((file) => !file.path.startsWith(FRAMEWORK))) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    cpSync(join(root, path), join(folder, path));
  }
  copyBridge(ffiInclude(), join(folder, 'cpp/bridge'));
}

function evaluated(folder, app, env) {
  const { status, stdout, stderr } = evaluate(folder, app, env);
  assert.equal(status, 0, stderr);
  return JSON.parse(stdout);
}

function refused(folder, app, env) {
  const { status, stdout, stderr } = evaluate(folder, app, env);
  assert.notEqual(status, 0, `it is taken:\n${stdout}`);
  return stderr;
}

function evaluate(folder, app, env = {}) {
  const { OMNII_SYNC_BUILD_FROM_SOURCE: _, ...outer } = process.env;
  const script = join(root, 'scripts/phones/evaluate-podspec.rb');
  const args = [script, join(folder, 'OmniiSync.podspec'), app, join(root, 'node_modules/react-native')];
  const done = spawnSync('ruby', args, { encoding: 'utf8', env: { ...outer, ...env } });
  if (done.error) throw new Error(`ruby did not start (${done.error.message}): run \`npm run setup\``);
  return done;
}
