// The steps of .github/workflows/release.yml that need more than a line of shell.
//
//   node scripts/phones/release.mjs ndk                   prints the version of the NDK that React Native is built with
//   node scripts/phones/release.mjs tag <tag>             fails unless the tag, and the repository, are those of package.json
//   node scripts/phones/release.mjs engines <ndk>         checks the engines in android/libs, prints a table for the summary
//   node scripts/phones/release.mjs pack <folder>         packs with the engines that are there, checks what is in it, prints the path
//   node scripts/phones/release.mjs app <tarball> <folder> <android|ios>   makes an app that installs it, and its native project
//   node scripts/phones/release.mjs apk <apk> <ndk>       checks what the app has of us in each ABI
//
// `pack` needs the headers of the bridge: OMNII_FFI_INCLUDE, where another job has built them.

import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { installConsumer } from '../package/consumer.mjs';
import { checkContents } from '../package/contents.mjs';
import { root } from '../root.mjs';

/** ABIs, and how the NDK calls its compiler for each. */
const CLANG = { 'arm64-v8a': 'aarch64-linux-android', 'armeabi-v7a': 'armv7a-linux-androideabi', x86_64: 'x86_64-linux-android', x86: 'i686-linux-android' };
const API = 24;
const TABLE = '| library | without symbols | pages |\n| --- | --- | --- |';
const STEPS = { ndk, tag, engines, pack, app, apk };

const [name, ...args] = process.argv.slice(2);
try {
  if (!Object.hasOwn(STEPS, name)) throw new Error(`there is no step ${name}: one of ${Object.keys(STEPS).join(', ')}`);
  STEPS[name](...args);
} catch (error) {
  console.error(`release ${name}: ${error.message}`);
  process.exitCode = 1;
}

function ndk() {
  const versions = readFileSync(join(root, 'node_modules/react-native/gradle/libs.versions.toml'), 'utf8');
  console.log(/^ndkVersion = "([\d.]+)"$/m.exec(versions)[1]);
}

function tag(given) {
  const { version, repository } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  assert.equal(given, `v${version}`, `the tag is ${given}, package.json has ${version}`);
  // npm compares them before it takes the provenance, and refuses the package.
  const url = `git+https://github.com/${process.env.GITHUB_REPOSITORY}.git`;
  if (repository?.url !== url) {
    const said = repository === undefined ? 'no "repository"' : `the "repository" ${JSON.stringify(repository)}`;
    throw new Error(`package.json has ${said}; npm pkg set repository.type=git repository.url=${url} (see "Releases" in CONTRIBUTING.md)`);
  }
}

function engines(ndkFolder) {
  const bin = toolchain(ndkFolder);
  const libs = join(root, 'android/libs');
  assert.deepEqual(existsSync(libs) && readdirSync(libs).sort(), Object.keys(CLANG).sort(), 'an engine is missing');
  console.log(TABLE);
  const results = Object.entries(CLANG).map(([abi, clang]) =>
    // Linked as android/CMakeLists.txt has it linked.
    checkLibrary([join(libs, abi, 'libomnii_sync.a'), '--compiler', `${join(bin, `${clang}${API}-clang++`)} -Wl,--pack-dyn-relocs=android`, ...tools(bin)])
  );
  assert.ok(results.every(Boolean), 'not all engines are as they should be');
}

function pack(folder) {
  mkdirSync(folder, { recursive: true });
  const json = execFileSync('npm', ['pack', '--json', '--pack-destination', resolve(folder)], {
    cwd: root,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
    maxBuffer: 1 << 26,
  });
  const [packed] = JSON.parse(json.slice(json.indexOf('[\n')));
  const tarball = join(resolve(folder), packed.filename);
  checkContents(packed, tarball, { released: true });
  console.error(`${packed.files.length} files, ${(packed.size / 1e6).toFixed(1)} MB, unpacked ${(packed.unpackedSize / 1e6).toFixed(1)} MB`);
  console.log(tarball);
}

function app(tarball, folder, platform) {
  installConsumer(resolve(folder), tarball);
  run(process.execPath, [join(resolve(folder), 'node_modules/expo/bin/cli'), 'prebuild', '--platform', platform, '--no-install'], resolve(folder));
}

function apk(file, ndkFolder) {
  const work = mkdtempSync(join(tmpdir(), 'omnii-apk-'));
  try {
    run('unzip', ['-q', resolve(file), 'lib/*/libappmodules.so', '-d', work], work);
    const libs = join(work, 'lib');
    assert.deepEqual(readdirSync(libs).sort(), Object.keys(CLANG).sort(), 'the app is not built for all ABIs');
    console.log(TABLE);
    const bin = toolchain(ndkFolder);
    for (const abi of readdirSync(libs)) {
      const library = join(libs, abi, 'libappmodules.so');
      assert.ok(checkLibrary([library, ...tools(bin)]), `${abi}: see above`);
      // The module is named in it, so it is linked; gradle strips symbols.
      assert.ok(readFileSync(library).includes('OmniiSync'), `${abi}: the module is not in the app`);
    }
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

function toolchain(ndkFolder) {
  const hosts = join(ndkFolder, 'toolchains/llvm/prebuilt');
  return join(hosts, readdirSync(hosts)[0], 'bin');
}

function tools(bin) {
  return ['readelf', 'strip', 'nm'].flatMap((tool) => [`--${tool}`, join(bin, `llvm-${tool}`)]);
}

function checkLibrary(args) {
  const done = spawnSync(process.execPath, [join(root, 'scripts/phones/check-library.mjs'), ...args], { stdio: ['ignore', 'inherit', 'inherit'] });
  return done.status === 0;
}

function run(command, args, cwd) {
  // Its output is not this script's answer.
  execFileSync(command, args, { cwd, stdio: ['ignore', 2, 2], env: { ...process.env, CI: '1', EXPO_NO_TELEMETRY: '1' } });
}
