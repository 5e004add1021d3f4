// Builds the host, bundles scripts for it and runs them. `scripts/host.mjs`, `scripts/host-test.mjs`, the demo and the
// benchmark use it.

import { build } from 'esbuild';
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { basename, join, resolve } from 'node:path';
import { hermesOptions, root } from './hermes.mjs';

/** One target directory for all checkouts: Hermes takes a quarter of an hour to build. */
export const targetDirectory = process.env.CARGO_TARGET_DIR ?? join(homedir(), '.cache/omnii-sync/target');

/**
 * Builds the host if it is not up to date and answers its path. `OMNII_HOST` names one that is built already.
 * @returns {string}
 */
export function hostBinary() {
  return process.env.OMNII_HOST ? resolve(process.env.OMNII_HOST) : cargoBinary('omnii-sync-host', 'omnii-host');
}

/**
 * The same for the reference backend; `OMNII_SERVER`. A build of its own: what the server needs of a crate must not
 * change how it is built for the host.
 * @returns {string}
 */
export function serverBinary() {
  return process.env.OMNII_SERVER ? resolve(process.env.OMNII_SERVER) : cargoBinary('omnii-sync-server', 'omnii-server');
}

function cargoBinary(packageName, binaryName) {
  const binary = join(targetDirectory, 'release', binaryName);
  // The first build takes long and shows how far it is; later ones only speak up when something is wrong.
  const quiet = existsSync(binary) ? ['--quiet'] : [];
  const args = ['build', '--release', '--locked', '-p', packageName, ...quiet];
  const { status, error } = spawnSync('cargo', args, {
    cwd: root,
    stdio: ['ignore', 'inherit', 'inherit'],
    env: { ...process.env, CARGO_TARGET_DIR: targetDirectory },
  });
  if (error || status !== 0) throw new Error(`cargo ${args.join(' ')} failed${error ? `: ${error.message}` : ''}`);
  return binary;
}

/**
 * Bundles a script with `@omnii/sync` from source; leaves `<file>` and `<file>.map`. `NODE_ENV` decides whether React is
 * the development build, which it is unless told otherwise.
 * @param {string} script
 * @param {string} outfile
 */
export async function bundleScript(script, outfile) {
  await build({
    ...hermesOptions,
    entryPoints: [script],
    outfile,
    alias: { '@omnii/sync': join(root, 'js/index.ts'), 'react-native': join(root, 'scripts/host/react-native.ts') },
    nodePaths: [join(root, 'node_modules')],
    define: { 'process.env.NODE_ENV': JSON.stringify(process.env.NODE_ENV ?? 'development') },
    jsx: 'automatic',
    sourcemap: 'external',
    sourcesContent: false,
    logLevel: 'warning',
    // What node modules say of themselves ("may be undefined") is no business of whoever runs a script.
    logOverride: { 'import-is-undefined': 'silent' },
    tsconfigRaw: { compilerOptions: { target: 'ES2022', useDefineForClassFields: true } },
  });
}

/**
 * Runs a script in the host.
 * @param {string} script
 * @param {string[]} args
 * @param {{ binary?: string, stdio?: import('node:child_process').StdioOptions, timeoutMs?: number,
 *   onOutput?: (text: string) => void }} options
 * @returns {Promise<number>} the exit code
 */
export async function runScript(script, args, options = {}) {
  const binary = options.binary ?? hostBinary();
  const directory = mkdtempSync(join(tmpdir(), 'omnii-host-'));
  try {
    const bundle = join(directory, `${basename(script).replace(/\.[cm]?[jt]sx?$/, '')}.js`);
    await bundleScript(script, bundle);
    return await runBundle(binary, bundle, script, args, options);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

function runBundle(binary, bundle, script, args, { stdio = 'inherit', timeoutMs, onOutput }) {
  return new Promise((resolvePromise, reject) => {
    const child = spawn(binary, [bundle, ...args], { stdio, env: { ...process.env, OMNII_HOST_SCRIPT: resolve(script) } });
    let timedOut = false;
    const timer =
      timeoutMs &&
      setTimeout(() => {
        timedOut = true;
        child.kill('SIGKILL');
      }, timeoutMs);
    const forward = (signal) => child.kill(signal);
    process.on('SIGTERM', forward);
    // The terminal sends SIGINT to both; the host ends by itself.
    const wait = () => {};
    process.on('SIGINT', wait);
    if (onOutput) {
      child.stdout?.setEncoding('utf8').on('data', onOutput);
      child.stderr?.setEncoding('utf8').on('data', onOutput);
    }
    child.on('error', reject);
    child.on('close', (code, signal) => {
      clearTimeout(timer);
      process.off('SIGTERM', forward);
      process.off('SIGINT', wait);
      if (timedOut) onOutput?.(`\ntimed out after ${timeoutMs} ms\n`);
      else if (signal) process.stderr.write(`the host was ended by ${signal}\n`);
      resolvePromise(code ?? 1);
    });
  });
}

/** A path as the user meant it: `npm run` changes the working directory to the package's. */
export function userPath(path) {
  const meant = resolve(process.env.INIT_CWD ?? process.cwd(), path);
  return existsSync(meant) ? meant : resolve(path);
}
