// The selections of packages that the scripts build, and the programs that come of them. Every script that calls cargo does so
// with the environment of scripts/cargo/folders.mjs: Hermes takes about 20 minutes to build, once for all checkouts. Uses
// nothing outside Node: setup runs it before there is a node_modules.

import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { buildDirectory, cargoEnv, targetDirectory } from './cargo/folders.mjs';
import { root } from './root.mjs';

export * from './cargo/folders.mjs';

const { env } = process;

// One profile and few selections of packages: each selection unifies the features of the dependencies in its own way.
const RELEASE = ['--release', '--locked'];

/** The host, its tests and lints. Always without other packages, so that Hermes and what it needs are built once. */
export const HOST = [...RELEASE, '-p', 'omnii-sync-host'];
/** The server. What it needs of a crate must not change how that is built for the host. */
export const SERVER = [...RELEASE, '-p', 'omnii-sync-server'];
/** The simulator. */
export const TESTKIT = [...RELEASE, '-p', 'omnii-sync-testkit'];
/** The engine with encryption, and the bridge to it. */
export const ENCRYPTED = [...RELEASE, '-p', 'omnii-sync-engine', '-p', 'omnii-sync-ffi', '--features', 'omnii-sync-ffi/sqlcipher'];
/** The tests and lints of all but the host. */
export const REST = [...RELEASE, '--workspace', '--exclude', 'omnii-sync-host'];

/**
 * Builds the host if it is not up to date and answers its path. `OMNII_HOST` names one that is built already.
 * @returns {string}
 */
export function hostBinary() {
  return env.OMNII_HOST ? resolve(env.OMNII_HOST) : cargoBinary(HOST, 'omnii-host');
}

/**
 * The same for the reference backend; `OMNII_SERVER`.
 * @returns {string}
 */
export function serverBinary() {
  return env.OMNII_SERVER ? resolve(env.OMNII_SERVER) : cargoBinary(SERVER, 'omnii-server');
}

/**
 * The same for the simulator.
 * @returns {string}
 */
export function simulateBinary() {
  return cargoBinary(TESTKIT, 'simulate');
}

function cargoBinary(selection, name) {
  const binary = join(targetDirectory, 'release', name);
  // The first build takes long and shows how far it is; later ones only speak up when something is wrong.
  const args = ['build', ...selection, ...(existsSync(binary) ? ['--quiet'] : [])];
  const { status, error } = spawnSync('cargo', args, { cwd: root, stdio: ['ignore', 'inherit', 'inherit'], env: cargoEnv() });
  if (error || status !== 0) throw new Error(`cargo ${args.join(' ')} failed${error ? `: ${error.message}` : ''}`);
  return binary;
}

/** Whether a build of Hermes has been finished in the cache. */
export function hermesIsBuilt() {
  // cargo writes this file when the package's build script has ended well.
  return hermesFolders().some((folder) => existsSync(join(folder, 'output')) && existsSync(join(folder, 'out/bin/hermesc')));
}

/**
 * Hermes' own compiler, which was built with the host.
 * @returns {string}
 */
export function hermescBinary() {
  const found = hermesFolders().map((folder) => join(folder, 'out/bin/hermesc')).find((path) => existsSync(path));
  if (!found) throw new Error('hermesc is not built: run `npm run setup`');
  return found;
}

/** How many of Hermes' files have been compiled. */
export function hermesObjects() {
  const counts = hermesFolders().map((folder) => {
    const build = join(folder, 'out/build');
    try {
      return readdirSync(build, { recursive: true }).filter((name) => name.endsWith('.o')).length;
    } catch {
      // Not begun, or ninja has just removed a folder.
      return 0;
    }
  });
  return Math.max(0, ...counts);
}

function hermesFolders() {
  const folder = join(buildDirectory, 'release/build');
  const names = existsSync(folder) ? readdirSync(folder) : [];
  return names.filter((name) => name.startsWith('hermes-engine-')).map((name) => join(folder, name));
}
