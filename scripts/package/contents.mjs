// What the tarball holds: what a consumer needs, to build the engine from source as well, and nothing else.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { dirname, join, normalize } from 'node:path';
import { linksOf } from '../docs/markdown.mjs';

/** Compressed, without the compiled engine. */
const MOST_BYTES = 700_000;
const TOP = [
  'ARCHITECTURE.md', 'CHANGELOG.md', 'CONTRIBUTING.md', 'Cargo.lock', 'Cargo.toml', 'LICENSE', 'OmniiSync.podspec', 'README.md', 'SECURITY.md', 'android', 'app.plugin.d.ts', 'app.plugin.js', 'cpp', 'docs',
  'ios', 'js', 'lib', 'package.json', 'react-native.config.js', 'rust', 'scripts',
];
/** The only ones of their folders. */
const EXACT = {
  android: ['CMakeLists.txt', 'build.gradle', 'src'],
  ios: ['OmniiSyncProvider.h', 'OmniiSyncProvider.mm'],
  lib: ['module', 'typescript'],
  rust: ['core', 'engine', 'ffi', 'host', 'server', 'testkit'],
  'rust/core': ['Cargo.toml', 'src'],
  'rust/engine': ['Cargo.toml', 'src'],
  'rust/ffi': ['Cargo.toml', 'build.rs', 'src'],
  // Without these manifests the workspace would be another one, and Cargo.lock would not hold.
  'rust/host': ['Cargo.toml'],
  'rust/server': ['Cargo.toml'],
  'rust/testkit': ['Cargo.toml'],
  scripts: ['cargo', 'phones', 'root.mjs'],
  'scripts/cargo': ['folders.mjs', 'rustc', 'sqlite.mjs'],
  'scripts/phones': ['bridge.mjs', 'build-android.mjs', 'build-engine.mjs', 'build-ios.mjs', 'hide-symbols.mjs', 'main.mjs', 'requirements.mjs'],
};
const NEEDED = [
  'lib/module/index.js', 'lib/module/NativeOmniiSync.web.js', 'lib/typescript/index.d.ts', 'js/NativeOmniiSync.ts', 'cpp/OmniiSyncModule.cpp',
  'cpp/bridge/rust/cxx.h', 'cpp/bridge/omnii-sync-ffi/src/lib.rs.h', 'docs/building.md', 'rust/ffi/src/lib.rs',
];
/** What a release has besides: the engine for every phone. */
const ENGINES = {
  android: ['CMakeLists.txt', 'build.gradle', 'libs', 'src'],
  'android/libs': ['arm64-v8a', 'armeabi-v7a', 'x86', 'x86_64'],
  ios: ['OmniiSync.xcframework', 'OmniiSyncProvider.h', 'OmniiSyncProvider.mm'],
  'ios/OmniiSync.xcframework': ['Info.plist', 'ios-arm64', 'ios-arm64_x86_64-simulator'],
};
const LIBRARIES = [...ENGINES['android/libs'].map((abi) => `android/libs/${abi}`), 'ios/OmniiSync.xcframework/ios-arm64', 'ios/OmniiSync.xcframework/ios-arm64_x86_64-simulator'];
const TEST = /(^|\/)(tests?|__tests__|fuzz|fixtures)(\/|\.\w+$)|[._]tests?\.\w+$/;

/** `packed`: what `npm pack --json` says of `tarball`. `released`: with the compiled engines. */
export function checkContents(packed, tarball, { released = false } = {}) {
  const files = packed.files.map(({ path }) => path);
  const entries = (folder) => {
    const below = files.filter((path) => path.startsWith(folder)).map((path) => path.slice(folder.length).split('/')[0]);
    return [...new Set(below)].sort();
  };
  assert.deepEqual(entries(''), TOP);
  for (const [folder, names] of Object.entries(released ? { ...EXACT, ...ENGINES } : EXACT)) assert.deepEqual(entries(`${folder}/`), names, folder);
  for (const path of NEEDED) assert.ok(files.includes(path), `${path} is missing`);
  assert.deepEqual(deadLinks(files, tarball), [], 'links to what is not in the package, and nothing says so');
  assert.deepEqual(files.filter((path) => TEST.test(path)), [], 'tests are nobody’s business');
  // Also those that have another name.
  const rust = files.filter((path) => path.endsWith('.rs'));
  const tests = rust.flatMap((path) => {
    const source = execFileSync('tar', ['-xzOf', tarball, `package/${path}`], { encoding: 'utf8' });
    const folder = path.replace(/(\/lib)?\.rs$/, '');
    return [...source.matchAll(/#\[cfg\(test\)\]\s*(?:pub(?:\([^)]*\))? )?mod (\w+);/g)].map(([, name]) => `${folder}/${name}`);
  });
  assert.ok(tests.length > 0, 'the search for test modules finds none');
  for (const test of tests) {
    assert.deepEqual(rust.filter((path) => path === `${test}.rs` || path.startsWith(`${test}/`)), [], 'modules for tests only');
  }
  // Symbols of the engines are all that is not known to be small: what an app takes of them is looked at where they are built.
  const engines = packed.files.filter(({ path }) => LIBRARIES.some((folder) => path === `${folder}/libomnii_sync.a`));
  if (released) assert.equal(engines.length, LIBRARIES.length, 'an engine is missing');
  else assert.ok(packed.size < MOST_BYTES, `${packed.size} bytes are more than ${MOST_BYTES}`);
}

/** Relative links of packed pages that lead to nothing in the package, where the paragraph or row does not say "in the repository". */
function deadLinks(files, tarball) {
  const isPacked = (path) => files.some((file) => file === path || file.startsWith(`${path}/`));
  return files.filter((path) => path.endsWith('.md')).flatMap((page) => {
    const text = execFileSync('tar', ['-xzOf', tarball, `package/${page}`], { encoding: 'utf8' });
    return linksOf(text)
      .filter(({ target }) => !/^[a-z][a-z\d+.-]*:/i.test(target) && !target.startsWith('#'))
      .filter(({ target }) => !isPacked(normalize(join(dirname(page), target.split('#')[0])).replace(/\/$/, '')))
      .filter(({ line }) => !/\bin\s+the\s+repository\b/.test(paragraphAt(text.split('\n'), line - 1)))
      .map(({ target, line }) => `${page}:${line}: ${target}`);
  });
}

function paragraphAt(lines, index) {
  if (lines[index].startsWith('|')) return lines[index];
  const isBreak = (line) => line === undefined || line.trim() === '';
  let [first, last] = [index, index];
  while (!isBreak(lines[first - 1])) first -= 1;
  while (!isBreak(lines[last + 1])) last += 1;
  return lines.slice(first, last + 1).join('\n');
}
