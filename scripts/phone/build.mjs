// What a headless phone needs, built or taken from the cache: host, prelude and server, the app's bundle, and flows as modules of
// Node's. The bundle is compiled by the host's own Hermes: the bytecode that Expo makes is of another Hermes and does not run here.

import { build } from 'esbuild';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { hermescBinary, hostBinary, serverBinary, targetDirectory } from '../cargo.mjs';
import { exampleApp, exportApp } from '../export-app.mjs';
import { hermesOptions, root } from '../host/hermes.mjs';
import { run } from '../process.mjs';

const directory = join(targetDirectory, 'phone');

/**
 * Builds what is missing and answers the environment that `scripts/phone/*.ts` read.
 * @param {{ project?: string, bundle?: string }} [options] `bundle`: one that is there already, of source or bytecode
 * @returns {Promise<Record<string, string>>}
 */
export async function phoneEnvironment({ project = exampleApp, bundle } = {}) {
  mkdirSync(directory, { recursive: true });
  const prelude = join(directory, 'prelude.js');
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
    OMNII_ROOT: root,
    OMNII_HOST: hostBinary(),
    OMNII_SERVER: serverBinary(),
    OMNII_PHONE_PRELUDE: prelude,
    OMNII_PHONE_PROJECT: project,
    OMNII_PHONE_BUNDLE: bundle ?? (await compiledApp(project)),
  };
}

/** Bytecode of the app, made again when its export has changed. */
async function compiledApp(project) {
  const name = project === exampleApp ? 'android' : `android-${basename(project)}`;
  const folder = await exportApp({ name, platform: 'android', project });
  const scripts = join(folder, '_expo/static/js/android');
  const script = readdirSync(scripts).find((file) => /\.(js|hbc)$/.test(file));
  if (!script) throw new Error(`expo export left no bundle in ${scripts}`);
  const bytecode = join(directory, `${name}.hbc`);
  const keyFile = `${bytecode}.key`;
  // Metro names the script by its content.
  const key = `${script} ${hermescBinary()}`;
  if (existsSync(bytecode) && existsSync(keyFile) && readFileSync(keyFile, 'utf8') === key) return bytecode;
  rmSync(keyFile, { force: true });
  const fresh = `${bytecode}.new`;
  // -O as on a phone; -g keeps the places in the script, for stacks.
  const code = await run(hermescBinary(), ['-w', '-O', '-g', '-emit-binary', '-out', fresh, join(scripts, script)], { toStderr: true });
  if (code !== 0) throw new Error('hermesc failed, see above');
  renameSync(fresh, bytecode);
  const map = join(scripts, `${script}.map`);
  if (existsSync(map)) writeFileSync(`${bytecode}.map`, readFileSync(map));
  writeFileSync(keyFile, key);
  return bytecode;
}

/**
 * Bundles flows for Node; answers the files.
 * @param {string[]} flows
 * @returns {Promise<string[]>}
 */
export async function bundleFlows(flows) {
  const outdir = join(directory, 'flows');
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
