// The C++ header that cxx makes of rust/ffi: where a build has left it, and as a copy that the package ships in cpp/bridge,
// because the C++ of the module is compiled in the app.

import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { cargoEnv, HOST } from '../cargo.mjs';
import { root } from '../host/hermes.mjs';
import { renameNamespace } from './hide-symbols.mjs';

const HEADERS = ['rust/cxx.h', 'omnii-sync-ffi/src/lib.rs.h'];

/** `OMNII_FFI_INCLUDE`, or else what cargo's build of the host, which setup has made, has left. */
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
  for (const line of build.stdout.split('\n')) {
    if (!line.startsWith('{')) continue;
    const message = JSON.parse(line);
    if (message.reason === 'build-script-executed' && /omnii-sync-ffi|rust\/ffi/.test(message.package_id)) {
      return join(message.out_dir, 'cxxbridge/include');
    }
  }
  throw new Error(`cargo did not get as far as the headers of rust/ffi:\n${build.stderr}`);
}

/** Copies the headers, to go with a library that `hideSymbols` has made. */
export function copyBridge(from, to) {
  for (const header of HEADERS) {
    mkdirSync(dirname(join(to, header)), { recursive: true });
    writeFileSync(join(to, header), renameNamespace(readFileSync(join(from, header), 'utf8')));
  }
}
