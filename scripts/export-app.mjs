// An app, the example's unless told otherwise, as Metro bundles it for production. An export is kept in target/exports and made again only when
// something that goes into it has changed; its name is part of the folder, so that several can stand side by side.

import { createHash } from 'node:crypto';
import { createRequire } from 'node:module';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { root } from './host/hermes.mjs';
import { withLock } from './lock.mjs';
import { run } from './process.mjs';

export const exampleApp = join(root, 'example-app');
const exportsFolder = join(root, 'target/exports');

/** What an export is made of, besides npm packages, for which the lock file stands. */
const SOURCES = ['js', 'lib', 'package.json', 'package-lock.json'];
/** What is in there and in no bundle. */
const IGNORED = new Set(['node_modules', '.expo', 'dist', 'android', 'ios', 'screenshots', 'flows', 'test', '__tests__', 'README.md']);
const TIMEOUT_MS = 8 * 60_000;

/**
 * Exports the app, or finds that it has been exported already. Answers the folder.
 * @param {object} options
 * @param {string} options.name of the folder
 * @param {'android' | 'ios' | 'web'} options.platform
 * @param {Record<string, string>} [options.env] `EXPO_PUBLIC_…` is built in
 * @param {string} [options.metroConfig] a file to be used instead of the app's own configuration; what stands beside it
 * counts as source
 * @param {string} [options.project] the app's folder
 * @returns {Promise<string>}
 */
export async function exportApp({ name, platform, env = {}, metroConfig, project = exampleApp }) {
  const folder = join(exportsFolder, name);
  const keyFile = `${folder}.key`;
  const waiting = () => console.log(`${name}: another export is at work, waiting for it`);
  await withLock(`${folder}.lock`, waiting, async () => {
    const key = keyOf({ platform, env, sources: [...SOURCES.map((source) => join(root, source)), project, ...(metroConfig ? [dirname(metroConfig)] : [])] });
    if (existsSync(folder) && existsSync(keyFile) && readFileSync(keyFile, 'utf8') === key) return;
    const fresh = `${folder}.new`;
    for (const old of [fresh, keyFile]) rmSync(old, { recursive: true, force: true });
    mkdirSync(exportsFolder, { recursive: true });
    await expoExport(project, platform, fresh, { ...env, ...(metroConfig && { EXPO_OVERRIDE_METRO_CONFIG: metroConfig }) });
    rmSync(folder, { recursive: true, force: true });
    renameSync(fresh, folder);
    writeFileSync(keyFile, key);
  });
  return folder;
}

async function expoExport(project, platform, outDir, env) {
  const expo = createRequire(join(project, 'package.json')).resolve('expo/bin/cli');
  // No bytecode: the tests look into it, and other programs than a phone's Hermes run it. The folder has to be last.
  const format = ['--source-maps', 'external', ...(platform === 'web' ? [] : ['--no-bytecode'])];
  const args = [expo, 'export', ...format, '--platform', platform, '--output-dir', outDir, project];
  // Metro's cache is there. It takes a file for the same whatever `EXPO_PUBLIC_…` was built into it, so each environment has its own.
  const temporary = join(exportsFolder, 'tmp', createHash('sha256').update(JSON.stringify(env)).digest('hex').slice(0, 16));
  mkdirSync(temporary, { recursive: true });
  let output = '';
  const begun = Date.now();
  const code = await run(process.execPath, args, {
    // No account, no telemetry, no questions.
    env: { ...process.env, NODE_ENV: 'production', CI: '1', EXPO_OFFLINE: '1', EXPO_NO_TELEMETRY: '1', TMPDIR: temporary, ...env },
    timeoutMs: TIMEOUT_MS,
    onOutput: (text) => (output += text),
    quiet: true,
  });
  if (code !== 0) throw new Error(`expo export --platform ${platform} failed:\n${output}`);
  console.error(`exported the app for ${platform} (${((Date.now() - begun) / 1000).toFixed(1)} s)`);
}

/** A hash of all that an export depends on. */
function keyOf({ platform, env, sources }) {
  const hash = createHash('sha256').update(JSON.stringify([platform, env, process.version]));
  const add = (path) => {
    if (statSync(path).isDirectory()) {
      for (const name of readdirSync(path).sort()) if (!IGNORED.has(name)) add(join(path, name));
    } else {
      hash.update(`\0${relative(root, path)}\0`).update(readFileSync(path));
    }
  };
  for (const path of sources) if (existsSync(path)) add(path);
  return hash.digest('hex');
}
