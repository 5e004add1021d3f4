// Compiles cpp/ as a phone build would, without a phone: C++20 against React Native's own headers, warnings as errors.
//
//   node scripts/check-cpp.mjs
//
// The desktop host compiles the same files against Hermes' headers; React Native's JSI differs from those, so neither check
// replaces the other. Uses g++ and clang++, and clang-format for the formatting; one that is missing is a fault, setup brings all.
// The cxx header comes from OMNII_FFI_INCLUDE, or else from cargo's build of the host, which setup has made.

import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ffiInclude } from './phones/host-bridge.mjs';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const reactCommon = join(root, 'node_modules/react-native/ReactCommon');
const sources = files('.cpp');
const headers = files('.h');

if (!existsSync(reactCommon)) fail('node_modules is missing: run `npm run setup`');
const compilers = ['g++', 'clang++'];

const generated = mkdtempSync(join(tmpdir(), 'omnii-check-cpp-'));
let faults = 0;
try {
  execFileSync(process.execPath, [join(root, 'scripts/codegen.mjs'), generated], { stdio: 'inherit' });
  const settings = ['-std=c++20', '-DNDEBUG', '-Wall', '-Wextra', '-Werror', '-fsyntax-only', '-I', join(root, 'cpp')];
  for (const folder of systemIncludes()) settings.push('-isystem', folder);
  for (const compiler of compilers) {
    for (const source of sources) check(`${compiler} ${source}`, compiler, [...settings, source]);
  }
} finally {
  rmSync(generated, { recursive: true, force: true });
}
check('clang-format', 'clang-format', ['--dry-run', '--Werror', ...headers, ...sources]);
if (faults > 0) fail(`${faults} of the checks failed`);
console.log(`check-cpp: ${sources.length} files are clean under ${compilers.join(' and ')} with React Native's headers`);

function systemIncludes() {
  return [
    // An empty stand-in for the one header that needs folly.
    join(root, 'rust/host/cpp/stubs'),
    generated,
    ffiInclude(),
    join(reactCommon, 'jsi'),
    reactCommon,
    join(reactCommon, 'callinvoker'),
    join(reactCommon, 'react/nativemodule/core'),
  ];
}

function check(name, command, args) {
  const { status, error } = spawnSync(command, args, { cwd: root, stdio: ['ignore', 'inherit', 'inherit'] });
  if (status === 0) return;
  faults += 1;
  console.error(`check-cpp: ${name}: ${error ? error.message : 'failed, see above'}`);
}

function files(extension) {
  const names = readdirSync(join(root, 'cpp')).filter((name) => name.endsWith(extension));
  return names.sort().map((name) => `cpp/${name}`);
}

function fail(message) {
  console.error(`check-cpp: ${message}`);
  process.exit(1);
}
