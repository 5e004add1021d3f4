/**
 * The app as the phone runs it: exported by Metro for Android, compiled by the host's own Hermes. (The bytecode that Expo
 * makes is of another Hermes and does not run here.) Both are kept by the content of what goes into them.
 */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join, relative } from 'node:path';

export interface App {
  /** Bytecode. */
  bundle: string;
  /** What app.json's `expo` says. */
  manifest: Record<string, unknown>;
  reactNativeVersion: { major: number; minor: number; patch: number; prerelease: null };
  expoModulesCoreVersion: string;
}

export interface Build {
  /** The app's folder. */
  project: string;
  /** Folders whose sources go into the bundle besides the project's own. */
  sources: string[];
  hermesc: string;
  /** Where results are kept. */
  cache: string;
  say: (text: string) => void;
}

const SKIPPED = new Set(['node_modules', '.expo', 'android', 'ios', 'dist', 'test', 'flows', '__tests__', 'screenshots']);
const EXPORT_MS = 10 * 60_000;

/** A hash of all files that can change the bundle. */
function fingerprint({ project, sources }: Build): string {
  const hash = createHash('sha256');
  const add = (folder: string): void => {
    for (const entry of readdirSync(folder, { withFileTypes: true }).sort((a, b) => (a.name < b.name ? -1 : 1))) {
      const path = join(folder, entry.name);
      if (entry.isDirectory() && !SKIPPED.has(entry.name)) add(path);
      else if (entry.isFile() && /\.([cm]?[jt]sx?|json|png|ttf)$/.test(entry.name)) hash.update(`${relative(project, path)}\0`).update(readFileSync(path));
    }
  };
  [project, ...sources].forEach(add);
  for (const [name, value] of Object.entries(process.env).sort()) if (name.startsWith('EXPO_PUBLIC_')) hash.update(`${name}=${value}\0`);
  return hash.digest('hex').slice(0, 16);
}

function must(command: string, args: string[], options: { cwd: string; env?: NodeJS.ProcessEnv; what: string }): void {
  const { status, stdout, stderr, error } = spawnSync(command, args, { ...options, encoding: 'utf8', timeout: EXPORT_MS });
  if (status !== 0) throw new Error(`${options.what} failed:\n${error?.message ?? ''}${stdout ?? ''}${stderr ?? ''}`);
}

function versionOf(require: NodeJS.Require, name: string): string {
  return (JSON.parse(readFileSync(require.resolve(`${name}/package.json`), 'utf8')) as { version: string }).version;
}

/** Exports and compiles what has changed since the last time. */
export function buildApp(build: Build): App {
  const { project, cache, say } = build;
  const require = createRequire(join(project, 'package.json'));
  const folder = join(cache, `app-${fingerprint(build)}`);
  if (!existsSync(join(folder, 'app.hbc'))) {
    const unfinished = `${folder}.${process.pid}`;
    rmSync(unfinished, { recursive: true, force: true });
    mkdirSync(unfinished, { recursive: true });
    exportBundle(project, unfinished, require, say);
    compile(build, unfinished);
    rmSync(folder, { recursive: true, force: true });
    renameSync(unfinished, folder);
    prune(cache, folder);
  }
  const [major = 0, minor = 0, patch = 0] = versionOf(require, 'react-native').split('.').map(Number);
  const { expo } = JSON.parse(readFileSync(join(project, 'app.json'), 'utf8')) as { expo: Record<string, unknown> };
  return {
    bundle: join(folder, 'app.hbc'),
    manifest: expo,
    reactNativeVersion: { major, minor, patch, prerelease: null },
    expoModulesCoreVersion: versionOf(createRequire(require.resolve('expo/package.json')), 'expo-modules-core'),
  };
}

/** A bundle made elsewhere, of source or of the host's bytecode. */
export function givenApp(bundle: string, project: string): App {
  const require = createRequire(join(project, 'package.json'));
  const [major = 0, minor = 0, patch = 0] = versionOf(require, 'react-native').split('.').map(Number);
  const config = join(project, 'app.json');
  const manifest = existsSync(config) ? (JSON.parse(readFileSync(config, 'utf8')) as { expo: Record<string, unknown> }).expo : { name: 'app', slug: 'app' };
  return { bundle, manifest, reactNativeVersion: { major, minor, patch, prerelease: null }, expoModulesCoreVersion: '0.0.0' };
}

function exportBundle(project: string, folder: string, require: NodeJS.Require, say: Build['say']): void {
  const began = Date.now();
  say('exporting the app with Metro');
  const cli = require.resolve('expo/bin/cli');
  must(process.execPath, [cli, 'export', '--platform', 'android', '--no-bytecode', '--source-maps', '--output-dir', join(folder, 'export')], {
    cwd: project,
    env: { ...process.env, EXPO_OFFLINE: '1', EXPO_NO_TELEMETRY: '1', CI: '1', NODE_ENV: 'production' },
    what: 'expo export',
  });
  say(`exported in ${((Date.now() - began) / 1000).toFixed(1)} s`);
}

function compile({ hermesc }: Build, folder: string): void {
  const scripts = join(folder, 'export/_expo/static/js/android');
  const names = readdirSync(scripts);
  const script = names.find((name) => name.endsWith('.js'));
  if (!script) throw new Error(`expo export left no bundle in ${scripts}`);
  // -g keeps the places of the bundle for stacks; -O is what a phone runs.
  must(hermesc, ['-w', '-O', '-g', '-emit-binary', '-out', join(folder, 'app.hbc'), join(scripts, script)], { cwd: folder, what: 'hermesc' });
  const map = names.find((name) => name.endsWith('.map'));
  if (map) renameSync(join(scripts, map), join(folder, 'app.hbc.map'));
  rmSync(join(folder, 'export'), { recursive: true, force: true });
}

/** Keeps the last few builds. */
function prune(cache: string, current: string): void {
  const folders = readdirSync(cache)
    .filter((name) => name.startsWith('app-'))
    .map((name) => join(cache, name))
    .filter((path) => path !== current)
    .sort((a, b) => statSync(b).mtimeMs - statSync(a).mtimeMs);
  for (const path of folders.slice(3)) rmSync(path, { recursive: true, force: true });
}
