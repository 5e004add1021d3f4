// Where cargo builds, for every script that calls it; a part of the npm package, for apps that build the engine themselves.
//
// All checkouts and apps share one directory of intermediate results, in the cache. Two things keep them apart all the same:
// finished programs go elsewhere, to the checkout's own target/ or where the caller says, and the crates of the repository are
// compiled through the wrapper beside this file, whose path cargo makes part of their hash. Without it cargo would take a second
// checkout's crates for the first one's wherever the second's files are older.

import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { root } from '../root.mjs';
import { sqliteFlags } from './sqlite.mjs';

const { env } = process;

/** What outlives a checkout: `OMNII_CACHE_DIR`, or else omnii-sync in the user's cache. */
export const cacheDirectory = resolve(root, env.OMNII_CACHE_DIR || join(env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'omnii-sync'));

/** Where finished programs are. `CARGO_TARGET_DIR` wins, for all of cargo's results. */
export const targetDirectory = resolve(root, env.CARGO_TARGET_DIR || 'target');

/** Where intermediate results are, Hermes among them. */
export const buildDirectory = env.CARGO_TARGET_DIR
  ? targetDirectory
  : resolve(root, env.CARGO_BUILD_BUILD_DIR || join(cacheDirectory, 'target'));

/** The environment for cargo; `wrapper` is the file beside this one that compiles our own crates. */
export function cargoEnv(wrapper = 'rustc') {
  return {
    ...env,
    ...sqliteFlags(),
    CARGO_TARGET_DIR: targetDirectory,
    CARGO_BUILD_BUILD_DIR: buildDirectory,
    RUSTC_WORKSPACE_WRAPPER: join(root, 'scripts/cargo', wrapper),
  };
}
