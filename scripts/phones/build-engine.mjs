// Builds rust/ffi as a static library for a phone: small rather than quick to build, and unwinding, because a panic of the engine
// is caught at the bridge.

import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { targetDirectory } from '../cargo.mjs';
import { root } from '../host/hermes.mjs';

const SMALL = {
  CARGO_PROFILE_RELEASE_LTO: 'fat',
  CARGO_PROFILE_RELEASE_CODEGEN_UNITS: '1',
  CARGO_PROFILE_RELEASE_OPT_LEVEL: 's',
};

/** Answers the library's path. */
export function buildEngine(target, env) {
  // A folder of its own: with other settings cargo would build everything else anew as well.
  const directory = join(targetDirectory, 'phones');
  execFileSync('cargo', ['build', '--release', '--locked', '-p', 'omnii-sync-ffi', '--target', target], {
    cwd: root,
    env: { ...process.env, ...SMALL, CARGO_TARGET_DIR: directory, ...env },
    stdio: 'inherit',
  });
  return join(directory, target, 'release/libomnii_sync.a');
}
