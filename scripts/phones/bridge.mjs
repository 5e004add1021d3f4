// The C++ headers that cxx makes of rust/ffi, because the C++ of the module is compiled in the app: found in what a build of
// cargo says, and copied to go with a library that `hideSymbols` has made.

import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { renameNamespace } from './hide-symbols.mjs';

export const HEADERS = ['rust/cxx.h', 'omnii-sync-ffi/src/lib.rs.h'];

/** What `cargo build --message-format=json` has said on `stdout`. */
export function readMessages(stdout) {
  const lines = (stdout ?? '').split('\n').filter((line) => line.startsWith('{'));
  return lines.map((line) => JSON.parse(line));
}

/** The folder of the headers by cargo's messages; undefined if the build did not get that far. */
export function includeOf(messages) {
  const made = messages.find(({ reason, package_id: id }) => reason === 'build-script-executed' && /omnii-sync-ffi|rust\/ffi/.test(id));
  return made && join(made.out_dir, 'cxxbridge/include');
}

/** Copies the headers, with the namespace of the library. */
export function copyBridge(from, to) {
  for (const header of HEADERS) {
    mkdirSync(dirname(join(to, header)), { recursive: true });
    writeFileSync(join(to, header), renameNamespace(readFileSync(join(from, header), 'utf8')));
  }
}
