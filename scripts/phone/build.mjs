// What a headless phone needs, built or taken from the cache: host, prelude, server, and the driver as a module of Node's.

import { build } from 'esbuild';
import { mkdirSync } from 'node:fs';
import { basename, join } from 'node:path';
import { hermescBinary, hostBinary, serverBinary, targetDirectory } from '../cargo.mjs';
import { hermesOptions, root } from '../host/hermes.mjs';

/** Where what is built here goes. */
export const phoneDirectory = join(targetDirectory, 'phone');

/**
 * Sets the environment that `scripts/phone/*.ts` read.
 * @returns {Promise<Record<string, string>>}
 */
export async function phoneEnvironment() {
  mkdirSync(phoneDirectory, { recursive: true });
  const prelude = join(phoneDirectory, 'prelude.js');
  await build({
    ...hermesOptions,
    entryPoints: [join(root, 'rust/host/phone/index.ts')],
    outfile: prelude,
    sourcemap: false,
    // package.json says that our modules have no side effects; those of the prelude have nothing else.
    ignoreAnnotations: true,
    logLevel: 'warning',
  });
  return {
    OMNII_HOST: hostBinary(),
    OMNII_SERVER: serverBinary(),
    OMNII_HERMESC: hermescBinary(),
    OMNII_PHONE_PRELUDE: prelude,
    OMNII_PHONE_CACHE: phoneDirectory,
    OMNII_ROOT: root,
  };
}

/**
 * Bundles flows for Node; answers the files.
 * @param {string[]} flows
 * @returns {Promise<string[]>}
 */
export async function bundleFlows(flows) {
  const outdir = join(phoneDirectory, 'flows');
  await build({
    entryPoints: flows,
    outdir,
    outExtension: { '.js': '.mjs' },
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node20',
    sourcemap: 'inline',
    packages: 'external',
    alias: { '@omnii/phone': join(root, 'scripts/phone/index.ts') },
    logLevel: 'warning',
  });
  return flows.map((flow) => join(outdir, basename(flow).replace(/\.ts$/, '.mjs')));
}
