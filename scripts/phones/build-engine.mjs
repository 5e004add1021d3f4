// Builds rust/ffi as a static library for a phone, with the profile `phone` of Cargo.toml. What it is made of are the versions in
// Cargo.lock, in apps as well.

import { spawnSync } from 'node:child_process';
import { homedir } from 'node:os';
import { basename, join } from 'node:path';
import { buildDirectory, cargoEnv } from '../cargo/folders.mjs';
import { sqliteFlags } from '../cargo/sqlite.mjs';
import { root } from '../root.mjs';
import { includeOf, readMessages } from './bridge.mjs';
import { BuildError, requireRust } from './requirements.mjs';

/** The switches of the build scripts; each is a setting of the app, see docs/building.md. */
export const SWITCHES = { sqlcipher: { type: 'boolean', default: false }, 'no-fts5': { type: 'boolean', default: false } };

/**
 * What the switches mean to cargo. Both are part of what it compares, so a changed one builds what depends on it anew.
 * @param {{ sqlcipher?: boolean, 'no-fts5'?: boolean }} switches
 */
export function cargoSettings(switches, env = process.env) {
  return {
    args: switches.sqlcipher ? ['--features', 'sqlcipher'] : [],
    env: sqliteFlags(switches['no-fts5'] ? ['-USQLITE_ENABLE_FTS5'] : [], env),
  };
}

/** Paths of this machine in the messages of panics would tell where an app was built, and make two builds differ. */
function withoutPaths(env = process.env) {
  const registry = join(env.CARGO_HOME || join(homedir(), '.cargo'), 'registry/src');
  // As cargo reads them; the user's own come first.
  const own = env.CARGO_ENCODED_RUSTFLAGS?.split('\x1f') ?? env.RUSTFLAGS?.split(' ').filter(Boolean) ?? [];
  return { CARGO_ENCODED_RUSTFLAGS: [...own, `--remap-path-prefix=${registry}=crates`].join('\x1f') };
}

/**
 * Answers the library, which is left in `folder`, and the headers of the bridge of the very same build.
 * @param {string} target
 * @param {string} folder
 * @param {{ env?: Record<string, string>, switches?: Parameters<typeof cargoSettings>[0],
 *   toolchain?: { args: string[], env: Record<string, string> } }} options `toolchain`: another Rust than rustup's
 * @returns {{ library: string, include: string }}
 */
export function buildEngine(target, folder, { env = {}, switches = {}, toolchain } = {}) {
  if (!toolchain) requireRust(target, switches);
  const settings = cargoSettings(switches);
  // Only a crate that is nothing but a static library is optimized together with its dependencies.
  const crate = ['-p', 'omnii-sync-ffi', '--lib', '--crate-type', 'staticlib'];
  const args = ['rustc', '--profile', 'phone', '--locked', ...crate, ...settings.args, ...(toolchain?.args ?? []), '--target', target];
  const { status, stdout } = spawnSync('cargo', [...args, '--message-format=json-render-diagnostics'], {
    cwd: root,
    env: {
      ...cargoEnv(),
      ...settings.env,
      ...withoutPaths(),
      // Two folders of their own. For intermediate results, because with other settings cargo would build everything else
      // anew as well; for the library, because another app may build it with other switches at the same time.
      CARGO_BUILD_BUILD_DIR: join(buildDirectory, 'phones'),
      CARGO_TARGET_DIR: folder,
      ...toolchain?.env,
      ...env,
    },
    encoding: 'utf8',
    maxBuffer: 1 << 28,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const messages = readMessages(stdout);
  const files = messages.flatMap(({ reason, filenames }) => (reason === 'compiler-artifact' ? filenames : []));
  const library = files.find((path) => basename(path) === 'libomnii_sync.a');
  const include = includeOf(messages);
  if (status !== 0 || !library || !include) throw new BuildError('BuildFailed', `cargo ${args.join(' ')} failed, see above`);
  return { library, include };
}
