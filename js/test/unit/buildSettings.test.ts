// Building the engine with the app: each platform's build file reads the app's settings and hands them to the build script, which
// hands them to cargo, or says in one line what the machine lacks. Stand-ins on the PATH write down how they were called.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, before, beforeEach, test } from 'node:test';

const root = process.cwd();
const ABI = 'x86_64';
const CLANG = `toolchains/llvm/prebuilt/any/bin/${ABI}-linux-android24-clang`;

let work: string;
let app: string;
let calls: string;

before(() => {
  work = mkdtempSync(join(tmpdir(), 'omnii-settings-'));
  app = join(work, 'app');
  calls = join(work, 'calls');
  mkdirSync(join(work, 'empty'));
  write('ndk', CLANG, '');
  // The Finder leaves one wherever it has been.
  write('ndk', 'toolchains/llvm/prebuilt/.DS_Store', '');
  program('rustc', 'case "$1" in --version) echo "rustc ${RUST_VERSION:-1.100.0} (today)";; --print) echo "$RUST_LIBRARY";; esac');
  program('cargo', 'if [ "$1" != --version ]; then echo "$LIBSQLITE3_FLAGS|$@" >> "$CALLS"; cat "$MESSAGES" 2>&-; exit; fi; echo cargo');
  program('node', 'echo "$@" >> "$CALLS"; exit ${NODE_STATUS:-0}');
});
beforeEach(() => {
  rmSync(calls, { force: true });
  rmSync(app, { recursive: true, force: true });
});
after(() => {
  rmSync(work, { recursive: true, force: true });
});

function write(...parts: [...string[], string]) {
  const path = join(work, ...parts.slice(0, -1));
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, parts[parts.length - 1] ?? '');
}

function program(name: string, script: string) {
  const folder = name === 'node' ? 'node' : 'rust';
  write(folder, name, `#!/bin/sh\n${script}\n`);
  chmodSync(join(work, folder, name), 0o755);
}

/** What the stand-ins were called with, since the last question. */
function called() {
  const lines = existsSync(calls) ? readFileSync(calls, 'utf8').trim().split('\n') : [];
  rmSync(calls, { force: true });
  return lines;
}

function run(command: string, args: string[], env: Record<string, string> = {}) {
  const unset = { OMNII_SYNC_BUILD_FROM_SOURCE: '', LIBSQLITE3_FLAGS: '', ANDROID_NDK_HOME: '' };
  const options = { encoding: 'utf8', env: { ...process.env, ...unset, CALLS: calls, ...env } } as const;
  const { status, stdout, stderr, error } = spawnSync(command, args, options);
  if (error) throw new Error(`${command} did not start (${error.message}): run \`npm run setup\``);
  return { status, output: `${stdout}${stderr}` };
}

function buildAndroid(args: string[], env: Record<string, string> = {}) {
  const script = join(root, 'scripts/phones/build-android.mjs');
  const path = `${join(work, 'rust')}:${process.env['PATH'] ?? ''}`;
  const cache = { OMNII_CACHE_DIR: join(work, 'cache'), CARGO_TARGET_DIR: '' };
  return run(process.execPath, [script, '--abi', ABI, ...args], { PATH: path, RUST_LIBRARY: work, ...cache, ...env });
}

test('the switches reach cargo', () => {
  const ndk = ['--ndk', join(work, 'ndk'), '--out', app];
  const cases: [string[], Record<string, string>, RegExp][] = [
    [[], {}, /^-U(?!.*FTS5).*\|rustc --profile phone --locked -p omnii-sync-ffi --lib --crate-type staticlib --target x86_64-linux-android /],
    [['--sqlcipher'], {}, /^(?!.*FTS5).*\|rustc .* --features sqlcipher /],
    [['--no-fts5'], {}, / -USQLITE_ENABLE_FTS5\|rustc (?!.*--features)/],
    [['--no-fts5'], { LIBSQLITE3_FLAGS: '-DSQLITE_X' }, / -USQLITE_ENABLE_FTS5 -DSQLITE_X\|/],
    [['--sqlcipher', '--no-fts5'], {}, / -USQLITE_ENABLE_FTS5\|rustc .* --features sqlcipher /],
  ];
  for (const [switches, env, expected] of cases) {
    const { status, output } = buildAndroid([...ndk, ...switches], env);
    assert.equal(status, 1);
    assert.match(output, /^build-android: cargo rustc .* failed, see above$/m);
    assert.match(called().join('\n'), expected);
  }
});

test('library and headers are left in --out, and nothing anywhere else', () => {
  // The tools of this machine stand in for the NDK's, and a library of one function for the engine.
  const tools = dirname(CLANG);
  for (const [name, tool] of [['ld.lld', 'ld'], ['llvm-nm', 'nm'], ['llvm-objcopy', 'objcopy'], ['llvm-ar', 'ar']] as const) {
    write('ndk', tools, name, `#!/bin/sh\nexec ${tool} "$@"\n`);
    chmodSync(join(work, 'ndk', tools, name), 0o755);
  }
  write('one.cpp', 'namespace omnii { inline int two() { return 2; }\nint one() { return two(); } }\nextern "C" int sqlite3_open() { return omnii::one(); }\nasm(".comm cpu_features,40,4");\n');
  run('g++', ['-c', join(work, 'one.cpp'), '-o', join(work, 'one.o')]);
  run('ar', ['crs', join(work, 'libomnii_sync.a'), join(work, 'one.o')]);
  write('made/cxxbridge/include/rust/cxx.h', 'inline namespace cxxbridge1 {}\n');
  write('made/cxxbridge/include/omnii-sync-ffi/src/lib.rs.h', '// Of this build.\n');
  const messages = [
    { reason: 'build-script-executed', package_id: 'path+file:///other#0.1.0', out_dir: '/other' },
    { reason: 'build-script-executed', package_id: `path+file://${root}/rust/ffi#omnii-sync-ffi@0.1.0`, out_dir: join(work, 'made') },
    { reason: 'compiler-artifact', filenames: [join(work, 'libomnii_sync.rlib'), join(work, 'libomnii_sync.a')] },
  ];
  write('messages', messages.map((message) => `${JSON.stringify(message)}\n`).join(''));
  const temporary = join(work, 'temporary');
  mkdirSync(temporary);
  const { status, output } = buildAndroid(['--ndk', join(work, 'ndk'), '--out', app], { MESSAGES: join(work, 'messages'), TMPDIR: temporary });
  assert.equal(status, 0, output);
  const files = readdirSync(app, { recursive: true, encoding: 'utf8' }).filter((name) => statSync(join(app, name)).isFile());
  assert.deepEqual(files.sort(), ['bridge/omnii-sync-ffi/src/lib.rs.h', 'bridge/rust/cxx.h', `libs/${ABI}/libomnii_sync.a`]);
  assert.match(readFileSync(join(app, 'bridge/rust/cxx.h'), 'utf8'), /namespace omnii_cxxbridge1/);
  const symbols = run('nm', ['-g', '--defined-only', join(app, `libs/${ABI}/libomnii_sync.a`)]).output;
  assert.match(symbols, /omnii/);
  assert.doesNotMatch(symbols, /sqlite3_open| cpu_features/);
  const grouped = (file: string) => !run('readelf', ['-g', file]).output.includes('There are no section groups');
  assert.ok(grouped(join(work, 'one.o')) && !grouped(join(app, `libs/${ABI}/libomnii_sync.a`)), 'templates could be taken from another library');
  assert.deepEqual(readdirSync(temporary), []);
});

test('what the machine lacks is said in one line', () => {
  const nothing = { PATH: join(work, 'empty'), HOME: join(work, 'empty'), CARGO_HOME: '' };
  const ndk = ['--ndk', join(work, 'ndk')];
  const cases: [string[], Record<string, string>, RegExp][] = [
    [[], {}, /where is the NDK\? Set ANDROID_NDK_HOME/],
    [['--ndk', join(work, 'rust')], {}, /is not an NDK: install one/],
    [ndk, nothing, /needs Rust, and there is no cargo: install it from https:\/\/rustup\.rs/],
    [ndk, { RUST_VERSION: '1.9.0' }, /Rust 1\.9\.0 is too old, 1\.\d+ is needed: rustup update stable/],
    [ndk, { RUST_LIBRARY: join(work, 'none') }, /no standard library for x86_64-linux-android: rustup target add x86_64-linux-android/],
    [[...ndk, '--sqlcipher'], { PATH: join(work, 'rust') }, /OpenSSL, which needs perl and make: install it/],
    [[...ndk, '--abi', 'mips'], {}, /mips is not one of arm64-v8a, /],
    [[...ndk, '--encrypt'], {}, /Unknown option '--encrypt'/],
  ];
  for (const [args, env, expected] of cases) {
    const { status, output } = buildAndroid(args, env);
    assert.equal(status, 1, output);
    assert.match(output, /^build-android: .*\n$/);
    assert.match(output, expected);
  }
});

test('rust that is not on the PATH is found where rustup puts it', () => {
  write('home', '.cargo/bin/readme', '');
  spawnSync('cp', ['-p', join(work, 'rust/cargo'), join(work, 'rust/rustc'), join(work, 'home/.cargo/bin')]);
  const { output } = buildAndroid(['--ndk', join(work, 'ndk')], { PATH: '/nowhere', HOME: join(work, 'home'), CARGO_HOME: '' });
  assert.match(output, /^build-android: cargo rustc .* failed/m);
});

/** The settings, what the build script must be called with (nothing: not at all), and what the build must say if it fails. */
const SETTINGS: [Record<string, string>, string | undefined, RegExp | undefined][] = [
  [{}, undefined, /there is no engine for/],
  [{ buildFromSource: 'false' }, undefined, /there is no engine for/],
  [{ sqlcipher: 'false', fts5: 'true' }, undefined, /there is no engine for/],
  [{ buildFromSource: 'true' }, '', undefined],
  [{ sqlcipher: 'true' }, ' --sqlcipher', undefined],
  [{ fts5: 'false' }, ' --no-fts5', undefined],
  [{ buildFromSource: 'true', sqlcipher: 'true', fts5: 'false' }, ' --sqlcipher --no-fts5', undefined],
  [{ buildFromSource: 'false', sqlcipher: 'true' }, undefined, /need a build from source/],
  [{ buildFromSource: 'false', fts5: 'false' }, undefined, /need a build from source/],
  [{ sqlcipher: 'yes' }, undefined, /omniiSync\.sqlcipher.*must be "?true"? or "?false"?, not .yes/s],
];

// Of the package that is built, so that no engine lies in it: neither that of a checkout nor one of another test.
function shipped() {
  const folder = join(work, 'package');
  if (!existsSync(folder)) {
    mkdirSync(join(folder, 'cpp'), { recursive: true });
    const parts = ['android/CMakeLists.txt', 'OmniiSync.podspec', 'package.json', 'Cargo.lock', 'cpp/Generation.cpp', 'rust/ffi/src/lib.rs'];
    for (const part of parts) write('package', part, readFileSync(join(root, part), 'utf8'));
  }
  return folder;
}

function cmake(env: Record<string, string> = {}, more: Record<string, string> = {}) {
  write(
    'app',
    'CMakeLists.txt',
    'cmake_minimum_required(VERSION 3.13)\nproject(app CXX)\n' +
      'function(target_compile_reactnative_options target scope)\ntarget_compile_options(${target} ${scope} -Werror)\nendfunction()\n' +
      `add_subdirectory("${join(shipped(), 'android')}" module)\nadd_library(app SHARED only.cpp)\ntarget_link_libraries(app omnii_sync_module)\n`
  );
  write('app', 'only.cpp', '');
  const build = join(app, 'build');
  const defined = { ANDROID_ABI: ABI, ANDROID_NDK: '/ndk', PROJECT_ROOT_DIR: app, ...more };
  const args = ['-G', 'Ninja', '-S', app, '-B', build, ...Object.entries(defined).map(([name, value]) => `-D${name}=${value}`)];
  return run('cmake', args, { PATH: `${join(work, 'node')}:${process.env['PATH'] ?? ''}`, ...env });
}

test('Android: SQLCipher’s log is linked, and what only a newer compiler warns of is no error', () => {
  gradleProperties({ buildFromSource: 'true' });
  const { status, output } = cmake({}, { ANDROID: '1' });
  assert.equal(status, 0, output);
  const ninja = readFileSync(join(app, 'build/build.ninja'), 'utf8');
  assert.match(ninja, /LINK_LIBRARIES = .*engine\/libs\/x86_64\/libomnii_sync\.a +-llog\b/);
  assert.match(ninja, /FLAGS = .*-Werror .*-Wno-error\b/);
});

function gradleProperties(settings: Record<string, string>) {
  const lines = Object.entries(settings).map(([name, value]) => `omniiSync.${name}=${value}\n`);
  write('app', 'gradle.properties', `# omniiSync.sqlcipher=true\nhermesEnabled=true\n${lines.join('')}`);
}

const ANDROID = new RegExp(`/package/scripts/phones/build-android\\.mjs --abi ${ABI} --ndk /ndk --out \\S+/build/module/engine( .*)?$`);

test('Android: the settings of gradle.properties', () => {
  for (const [settings, expected, refusal] of SETTINGS) {
    rmSync(app, { recursive: true, force: true });
    gradleProperties(settings);
    const { status, output } = cmake();
    assert.equal(status === 0, refusal === undefined, output);
    // CMake breaks lines.
    if (refusal) assert.match(output.replace(/\s+/g, ' '), refusal);
    const [call, ...more] = called();
    assert.deepEqual(more, []);
    assert.equal(call && (ANDROID.exec(call)?.[1] ?? ''), expected, JSON.stringify(settings));
  }
});

test('Android: the environment can ask for a build, and one that fails ends the app’s', () => {
  gradleProperties({});
  assert.equal(cmake({ OMNII_SYNC_BUILD_FROM_SOURCE: '1' }).status, 0);
  assert.match(called().join(), ANDROID);
  rmSync(app, { recursive: true });
  gradleProperties({ buildFromSource: 'true' });
  const { status, output } = cmake({ NODE_STATUS: '1' });
  assert.notEqual(status, 0);
  assert.match(output, /the engine could not be built/);
});

test('Android: a changed setting and changed Rust build the engine again, anything else does not', () => {
  const ninja = () => {
    const { status, output } = run('ninja', ['-C', join(app, 'build'), 'build.ninja'], { PATH: `${join(work, 'node')}:${process.env['PATH'] ?? ''}` });
    assert.equal(status, 0, output);
    return called();
  };
  gradleProperties({ sqlcipher: 'true' });
  cmake();
  assert.equal(called().length, 1);
  assert.deepEqual(ninja(), []);
  gradleProperties({ sqlcipher: 'false', buildFromSource: 'true' });
  const [again] = ninja();
  assert.equal(ANDROID.exec(again ?? '')?.[1], undefined);
  assert.ok(again, 'it was not built again');
  write('package', 'rust/ffi/src/lib.rs', '// Changed.\n');
  assert.equal(ninja().length, 1);
  assert.deepEqual(ninja(), []);
});

/** As much of CocoaPods as OmniiSync.podspec uses before it knows which engine to take; prints the framework. */
const COCOAPODS = `
module Pod
  Config = Struct.new(:installation_root) { def self.instance = new(ARGV[1]) }
  class Spec
    def self.new = yield(allocate)
    def vendored_frameworks=(path)
      puts path
    end
    def method_missing(*) = nil
  end
end
def min_supported_versions = {}
def install_modules_dependencies(_) = nil
load ARGV[0]
`;

test('iOS: the settings of Podfile.properties.json', () => {
  const podspec = (env: Record<string, string> = {}) =>
    run('ruby', ['-e', COCOAPODS, join(shipped(), 'OmniiSync.podspec'), app], { PATH: `${join(work, 'node')}:${process.env['PATH'] ?? ''}`, ...env });
  const IOS = /\/package\/scripts\/phones\/build-ios\.mjs --out \S+\/package\/ios\/build( .*)?$/;
  for (const [settings, expected, refusal] of SETTINGS) {
    const named = Object.entries(settings).map(([name, value]) => [`omniiSync.${name}`, value]);
    write('app', 'Podfile.properties.json', JSON.stringify({ 'expo.jsEngine': 'hermes', ...Object.fromEntries(named) }));
    const { status, output } = podspec();
    assert.equal(status === 0, refusal === undefined, output);
    assert.match(output, refusal ?? /^ios\/build\/OmniiSync\.xcframework$/m);
    const [call, ...more] = called();
    assert.deepEqual(more, []);
    assert.equal(call && (IOS.exec(call)?.[1] ?? ''), expected, JSON.stringify(settings));
  }
  rmSync(app, { recursive: true });
  assert.equal(podspec({ OMNII_SYNC_BUILD_FROM_SOURCE: '1' }).status, 0);
  assert.match(called().join(), IOS);
  const failed = podspec({ OMNII_SYNC_BUILD_FROM_SOURCE: '1', NODE_STATUS: '1' });
  assert.match(failed.output, /the engine could not be built/);
  // The compiled engine is still there and is taken as soon as nothing else is asked for.
  mkdirSync(join(shipped(), 'ios/OmniiSync.xcframework'), { recursive: true });
  assert.match(podspec().output, /^ios\/OmniiSync\.xcframework$/m);
  rmSync(join(shipped(), 'ios'), { recursive: true });
});
