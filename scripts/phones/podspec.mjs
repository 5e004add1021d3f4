// Evaluates OmniiSync.podspec in a folder that holds what `npm pack` ships, with Debian's Ruby, React Native's own functions and a
// stand-in for CocoaPods (evaluate-podspec.rb). A name that CocoaPods does not know, a pattern without files or a folder that
// does not exist fails here, not on somebody's Mac.

import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { root } from '../root.mjs';
import { copyBridge } from './bridge.mjs';
import { ffiInclude } from './host-bridge.mjs';

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

    // Objective-C++ has no modules that would link what it imports. Foundation is linked by CocoaPods.
    const imported = [...readFileSync(join(root, 'ios/OmniiSyncProvider.mm'), 'utf8').matchAll(/^#import <(?!React|Foundation)(\w+)\//gm)].map(([, name]) => name);
    assert.ok(imported.length > 0);
    for (const name of imported) assert.ok(attributes.frameworks.includes(name), `${name} is not linked`);

    const ours = ownPaths(attributes);
    assert.ok(ours.includes('cpp/bridge'), 'the header of the bridge would not be found');
    for (const path of ours) assert.ok(existsSync(join(shipped, path)), `${path}, where it looks for headers, does not exist`);
    assert.ok(searchPaths(attributes).includes('$(PODS_ROOT)/'), 'the search paths of React Native are lost');
  });
  await check('the podspec without a compiled engine says what to do', () => {
    rmSync(framework, { recursive: true });
    assert.match(refused(shipped, app), /^RuntimeError: @omnii\/sync: there is no engine for iOS .*"omniiSync\.buildFromSource": "true"/m);
  });
  await check('the podspec builds the engine if the app says so', () => {
    const say = (settings) => writeFileSync(properties, JSON.stringify(settings));
    const script = join(shipped, 'scripts/phones/build-ios.mjs');
    assert.ok(existsSync(script), 'the script that builds it is not shipped');
    const built = (env) => {
      const { attributes, commands } = evaluated(shipped, app, env);
      assert.deepEqual(commands.map((command) => command.slice(0, 3)), [['node', script, '--out']]);
      // Where it leaves them is where Xcode looks.
      const [[, , , out, ...switches]] = commands;
      assert.equal(join(shipped, attributes.vendored_frameworks), join(out, 'OmniiSync.xcframework'));
      assert.ok(ownPaths(attributes).map((path) => join(shipped, path)).includes(join(out, 'bridge')));
      return switches;
    };
    say({ 'omniiSync.buildFromSource': 'true' });
    assert.deepEqual(built(), []);
    assert.match(refused(shipped, app, { STAND_IN_SYSTEM: 'false' }), /@omnii\/sync: the engine could not be built/);
    say({ 'omniiSync.sqlcipher': 'true', 'omniiSync.fts5': 'false' });
    assert.deepEqual(built(), ['--sqlcipher', '--no-fts5']);
    say({ 'omniiSync.sqlcipher': 'true', 'omniiSync.buildFromSource': 'false' });
    assert.match(refused(shipped, app), /need a build from source/);
    say({ 'omniiSync.sqlcipher': 'yes' });
    assert.match(refused(shipped, app), /must be "true" or "false", not "yes"/);
    say({ 'omniiSync.buildFromSource': 'false' });
    assert.match(refused(shipped, app), /there is no engine for iOS/);
    rmSync(properties);
    assert.deepEqual(built({ OMNII_SYNC_BUILD_FROM_SOURCE: '1' }), []);
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

function searchPaths(attributes) {
  return [attributes.pod_target_xcconfig.HEADER_SEARCH_PATHS].flat().join(' ');
}

/** Those of them that are in the package. */
function ownPaths(attributes) {
  return [...searchPaths(attributes).matchAll(/"\$\(PODS_TARGET_SRCROOT\)\/([^"]*)"/g)].map(([, path]) => path);
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
