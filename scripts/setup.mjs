// Brings a fresh machine (Debian or Ubuntu with Rust and Node) to the state in which everything runs: system packages, npm
// packages, the host with Hermes, the server. Does only what is missing: with warm caches it takes seconds.
//
//   npm run setup
//   node scripts/setup.mjs --print-packages   only prints the names of the system packages that are missing
//
// The demo, the server and the tests begin with it. Uses nothing outside Node's own modules, because it runs before there
// are others. One setup runs at a time; a second one waits and then finds everything done.

import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, realpathSync } from 'node:fs';
import { homedir } from 'node:os';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { buildDirectory, cacheDirectory, cargoEnv, hermesIsBuilt, hermesObjects, HOST, SERVER } from './cargo.mjs';
import { root } from './host/hermes.mjs';
import { withLock } from './lock.mjs';
import { run } from './process.mjs';
import { installPackages, isInstalled, missingPackages } from './system-packages.mjs';
import { findChromium } from './web/chromium.mjs';

/** Files of Hermes that are compiled; only to show how far it is. */
const HERMES_OBJECTS = 460;
const PROGRESS_MS = 30_000;

/** What the packages of the system are for, and whether that is there, however it came. */
const SYSTEM_PACKAGES = [
  { name: 'g++', why: 'C++ of Hermes and React Native', isThere: () => isInstalled('g++') },
  { name: 'clang', why: 'second compiler of the C++ check', isThere: () => isInstalled('clang++') },
  { name: 'clang-format', why: 'C++ formatting check', isThere: () => isInstalled('clang-format') },
  { name: 'cmake', why: "Hermes' build", isThere: () => isInstalled('cmake') },
  { name: 'ninja-build', why: "Hermes' build", isThere: () => isInstalled('ninja') },
  { name: 'python3', why: "Hermes' build", isThere: () => isInstalled('python3') },
  { name: 'ruby', why: 'evaluates the podspec', isThere: () => isInstalled('ruby') },
  { name: 'perl', why: 'SQLCipher’s OpenSSL', isThere: () => isInstalled('perl') },
  { name: 'make', why: 'SQLCipher’s OpenSSL', isThere: () => isInstalled('make') },
  { name: 'libclang-dev', why: 'bindings to Hermes', isThere: hasLibclang },
  { name: 'libicu-dev', why: 'Unicode in Hermes', isThere: () => existsSync('/usr/include/unicode/uversion.h') },
  { name: 'chromium', why: 'the example app in a browser', isThere: () => findChromium() !== undefined },
  { name: 'fonts-roboto-unhinted', why: 'the text in its screenshots', isThere: () => existsSync('/usr/share/fonts/truetype/roboto') },
  { name: 'fonts-dejavu-core', why: 'the symbols in its screenshots', isThere: () => existsSync('/usr/share/fonts/truetype/dejavu') },
];

const STEPS = [
  { title: 'Rust and Node', work: checkTools },
  { title: 'System packages', work: installSystemPackages },
  { title: 'npm packages', work: installNpmPackages },
  { title: 'The host: Hermes, React Native’s C++ core, the module and the engine', work: buildHost },
  { title: 'The reference backend', work: buildServer },
];

let toStderr = false;

/**
 * Sets up. Says what it does, on stdout unless told otherwise; if something is missing that it cannot get, it says what
 * to do and ends the process with 1.
 */
export async function setup(options = {}) {
  toStderr = options.toStderr ?? false;
  const started = Date.now();
  try {
    const waiting = () => say('setup: another setup is at work, waiting for it');
    await withLock(join(cacheDirectory, 'setup.lock'), waiting, async () => {
      for (const [index, { title, work }] of STEPS.entries()) {
        const begun = Date.now();
        say(`[${index + 1}/${STEPS.length}] ${title}`);
        say(`      ${await work()} (${elapsed(begun)})`);
      }
    });
  } catch (error) {
    console.error(`setup: ${error.message}`);
    process.exit(1);
  }
  say(`Set up in ${elapsed(started)}.\n`);
}

async function checkTools() {
  const node = process.versions.node;
  if (!isAtLeast(node, '20')) throw new Error(`Node ${node} is too old, 20 is needed: https://nodejs.org`);
  const cargoBin = join(homedir(), '.cargo/bin');
  if (!isInstalled('cargo') && existsSync(join(cargoBin, 'cargo'))) process.env.PATH += `${delimiter}${cargoBin}`;
  const needed = /^rust-version = "(.+)"$/m.exec(readFileSync(join(root, 'Cargo.toml'), 'utf8'))[1];
  const rust = /^rustc (\d+\.\d+\.\d+)/.exec(outputOf('rustc', ['--version']))?.[1];
  if (!rust || !isInstalled('cargo')) throw new Error(`Rust is missing, ${needed} is needed: https://rustup.rs`);
  if (!isAtLeast(rust, needed)) throw new Error(`Rust ${rust} is too old, ${needed} is needed: run \`rustup update stable\``);
  return `Rust ${rust}, Node ${node}; cache in ${cacheDirectory}`;
}

function installSystemPackages() {
  return installPackages(SYSTEM_PACKAGES, { say, toStderr });
}

async function installNpmPackages() {
  if (nodeModulesMatch()) return 'node_modules matches package-lock.json';
  // No package needs its install script: esbuild's only checks and speeds up what its package for this platform brings.
  const args = ['ci', '--ignore-scripts', '--no-audit', '--no-fund'];
  if ((await run('npm', args, { toStderr })) !== 0) throw new Error(`npm ${args.join(' ')} failed, see above`);
  const { transform } = await import('esbuild');
  await transform('let a: number', { loader: 'ts' });
  return 'installed';
}

/** Whether node_modules holds what the lock file says, by npm's own record, which it writes last. */
function nodeModulesMatch() {
  let wanted;
  let installed;
  try {
    wanted = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')).packages;
    installed = JSON.parse(readFileSync(join(root, 'node_modules/.package-lock.json'), 'utf8')).packages;
  } catch {
    return false;
  }
  const isSame = (name) => wanted[name]?.version === installed[name]?.version && wanted[name]?.integrity === installed[name]?.integrity;
  const needed = Object.keys(wanted).filter((name) => name.includes('node_modules/') && !wanted[name].optional);
  return [...needed, ...Object.keys(installed)].every(isSame);
}

async function buildHost() {
  if (hermesIsBuilt()) {
    await cargoBuild(HOST);
    return 'ready';
  }
  say('      Building Hermes from source, about 20 minutes on 2 cores, once');
  say(`      (the result stays in ${buildDirectory})`);
  const begun = Date.now();
  const timer = setInterval(() => {
    const count = hermesObjects();
    const what = hermesIsBuilt() ? 'Hermes is built' : `Hermes: ${count} of about ${HERMES_OBJECTS} files`;
    say(`      ${elapsed(begun)}: ${count === 0 ? 'compiling what the build of Hermes needs' : what}`);
  }, PROGRESS_MS);
  try {
    await cargoBuild(HOST);
  } finally {
    clearInterval(timer);
  }
  return 'built';
}

async function buildServer() {
  await cargoBuild(SERVER);
  return 'ready';
}

async function cargoBuild(selection) {
  const args = ['build', ...selection];
  if ((await run('cargo', args, { env: cargoEnv(), toStderr })) !== 0) throw new Error(`cargo ${args.join(' ')} failed, see above`);
}

function say(text) {
  (toStderr ? process.stderr : process.stdout).write(`${text}\n`);
}

function hasLibclang() {
  if (process.env.LIBCLANG_PATH) return true;
  // The unversioned name comes with the headers that bindgen needs as well.
  const folders = existsSync('/usr/lib') ? readdirSync('/usr/lib').filter((name) => name.startsWith('llvm-')) : [];
  return folders.some((name) => existsSync(`/usr/lib/${name}/lib/libclang.so`));
}

function outputOf(command, args) {
  return spawnSync(command, args, { encoding: 'utf8' }).stdout ?? '';
}

function isAtLeast(version, needed) {
  const [have, want] = [version, needed].map((text) => text.split('.').map(Number));
  for (const [index, part] of want.entries()) {
    if ((have[index] ?? 0) !== part) return (have[index] ?? 0) > part;
  }
  return true;
}

/** Time since, for people. */
export function elapsed(since) {
  const seconds = (Date.now() - since) / 1000;
  return seconds < 100 ? `${seconds.toFixed(1)} s` : `${Math.floor(seconds / 60)} min ${Math.round(seconds % 60)} s`;
}

if (process.argv[1] && realpathSync(process.argv[1]) === fileURLToPath(import.meta.url)) {
  if (process.argv[2] === '--print-packages') say(missingPackages(SYSTEM_PACKAGES).map(({ name }) => name).join(' '));
  else await setup();
}
