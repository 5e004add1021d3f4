// Bundles scripts for the host and runs them. `scripts/host.mjs`, `scripts/host-test.mjs`, the demo and the
// benchmark use it.

import { build } from 'esbuild';
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join, resolve } from 'node:path';
import { hostBinary, serverBinary } from '../cargo.mjs';
import { hermesOptions, root } from './hermes.mjs';

export { hostBinary, serverBinary };

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
    alias: {
      '@omnii/sync': join(root, 'js/index.ts'),
      '@omnii/sync/drizzle': join(root, 'js/drizzle/index.ts'),
      '@omnii/sync/kysely': join(root, 'js/kysely/index.ts'),
      '@omnii/sync/powersync': join(root, 'js/powersync/index.ts'),
      'react-native': join(root, 'scripts/host/react-native.ts'),
    },
    nodePaths: [join(root, 'node_modules')],
    // The example app has them; the host is no device, and @omnii/sync does without them.
    external: ['expo-network', 'expo-battery', '@react-native-community/netinfo'],
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
      if (timedOut) (onOutput ?? ((text) => process.stderr.write(text)))(`\ntimed out after ${timeoutMs} ms\n`);
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
