// The headers of the bridge as a checkout has them already: those of the host, which setup has built.

import { spawnSync } from 'node:child_process';
import { cargoEnv, HOST } from '../cargo.mjs';
import { root } from '../root.mjs';
import { includeOf, readMessages } from './bridge.mjs';

/** `OMNII_FFI_INCLUDE`, or else what cargo's build of the host has left. */
export function ffiInclude() {
  if (process.env.OMNII_FFI_INCLUDE) return process.env.OMNII_FFI_INCLUDE;
  const build = spawnSync('cargo', ['build', ...HOST, '--message-format=json'], {
    cwd: root,
    env: cargoEnv(),
    encoding: 'utf8',
    maxBuffer: 1 << 28,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  if (build.error) throw new Error(`cargo did not start: ${build.error.message}`);
  const include = includeOf(readMessages(build.stdout));
  if (!include) throw new Error(`cargo did not get as far as the headers of rust/ffi:\n${build.stderr}`);
  return include;
}
