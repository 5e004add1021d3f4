// The C++ headers that cxx makes of rust/ffi, because the C++ of the module is compiled in the app: found in what a build of
// cargo says, and copied to go with a library that `hideSymbols` has made.

import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { renameNamespace } from './hide-symbols.mjs';

export const HEADERS = ['rust/cxx.h', 'omnii-sync-ffi/src/lib.rs.h'];

/** The folder of the headers, by what `cargo build --message-format=json` has written; undefined if it did not get that far. */
export function includeOf(messages) {
  for (const line of messages.split('\n')) {
    if (!line.startsWith('{')) continue;
    const message = JSON.parse(line);
    if (message.reason === 'build-script-executed' && /omnii-sync-ffi|rust\/ffi/.test(message.package_id)) {
      return join(message.out_dir, 'cxxbridge/include');
    }
  }
  return undefined;
}

/** Copies the headers, with the namespace of the library. */
export function copyBridge(from, to) {
  for (const header of HEADERS) {
    mkdirSync(dirname(join(to, header)), { recursive: true });
    writeFileSync(join(to, header), renameNamespace(readFileSync(join(from, header), 'utf8')));
  }
}
