// Builds rust/ffi as a static library for a phone: small rather than quick to build, and unwinding, because a panic of the engine
// is caught at the bridge. What it is made of are the versions in Cargo.lock, in apps as well.

import { spawnSync } from 'node:child_process';
import { basename, join } from 'node:path';
import { buildDirectory, cargoEnv } from '../cargo/folders.mjs';
import { root } from '../root.mjs';
import { includeOf, readMessages } from './bridge.mjs';
import { BuildError, requireRust } from './requirements.mjs';

const SMALL = {
  CARGO_PROFILE_RELEASE_LTO: 'fat',
  CARGO_PROFILE_RELEASE_CODEGEN_UNITS: '1',
  CARGO_PROFILE_RELEASE_OPT_LEVEL: 's',
};

/** The switches of the build scripts; each is a setting of the app, see docs/building.md. */
export const SWITCHES = { sqlcipher: { type: 'boolean', default: false }, 'no-fts5': { type: 'boolean', default: false } };

/**
 * What the switches mean to cargo. Both are part of what it compares, so a changed one builds what depends on it anew.
 * @param {{ sqlcipher?: boolean, 'no-fts5'?: boolean }} switches
 */
export function cargoSettings(switches, env = process.env) {
  // The bundled SQLite comes with FTS5; its build script puts these flags after its own.
  const flags = [env.LIBSQLITE3_FLAGS, switches['no-fts5'] && '-USQLITE_ENABLE_FTS5'].filter(Boolean).join(' ');
  return {
    args: switches.sqlcipher ? ['--features', 'sqlcipher'] : [],
    env: flags ? { LIBSQLITE3_FLAGS: flags } : {},
  };
}

/**
 * Answers the library, which is left in `folder`, and the headers of the bridge of the very same build.
 * @param {string} target
 * @param {string} folder
 * @param {{ env?: Record<string, string>, switches?: Parameters<typeof cargoSettings>[0] }} options
 * @returns {{ library: string, include: string }}
 */
export function buildEngine(target, folder, { env = {}, switches = {} } = {}) {
  requireRust(target, switches);
  const settings = cargoSettings(switches);
  const args = ['build', '--release', '--locked', '-p', 'omnii-sync-ffi', ...settings.args, '--target', target];
  const { status, stdout } = spawnSync('cargo', [...args, '--message-format=json-render-diagnostics'], {
    cwd: root,
    env: {
      ...cargoEnv(),
      ...SMALL,
      ...settings.env,
      // Two folders of their own. For intermediate results, because with other settings cargo would build everything else
      // anew as well; for the library, because another app may build it with other switches at the same time.
      CARGO_BUILD_BUILD_DIR: join(buildDirectory, 'phones'),
      CARGO_TARGET_DIR: folder,
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
