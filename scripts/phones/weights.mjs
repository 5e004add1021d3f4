// Which part of the engine takes how much of an app: the symbols of a linked engine, by the package they come from, and what the
// linker adds for all of them. An estimate in so far as a generic function counts for the first package that its name mentions.

import { execFileSync } from 'node:child_process';

/** Crates by what they are there for; a crate that is in none of them is `other crates`. */
const PARTS = {
  'our own: omnii-sync, -engine, -core': ['omnii_sync', 'omnii_sync_engine', 'omnii_sync_core', 'omnii'],
  'SQLite and rusqlite': ['rusqlite', 'libsqlite3_sys'],
  'TLS: rustls, ring, webpki': ['rustls', 'ring', 'webpki', 'webpki_roots', 'rustls_pki_types', 'tokio_rustls', 'hyper_rustls', 'untrusted', 'subtle'],
  'HTTP: reqwest, hyper, h2, url, gzip': [
    'reqwest', 'hyper', 'hyper_util', 'h2', 'http', 'http_body', 'http_body_util', 'httparse', 'url', 'idna', 'tower', 'tower_http', 'tower_service',
    'form_urlencoded', 'percent_encoding', 'async_compression', 'compression_codecs', 'flate2', 'miniz_oxide', 'crc32fast', 'zlib_rs',
  ],
  'tokio, futures': ['tokio', 'tokio_util', 'mio', 'futures_util', 'futures_channel', 'futures_core', 'parking_lot', 'socket2'],
  'JSON: serde_json, serde': ['serde_json', 'serde', 'serde_core', 'zmij', 'itoa'],
  'Rust’s standard library': ['core', 'alloc', 'std', 'hashbrown', 'gimli', 'addr2line', 'rustc_demangle', 'compiler_builtins', 'object', 'memchr'],
};
const C_SQLITE = 'SQLite and rusqlite';
const C_TLS = 'TLS: rustls, ring, webpki';
const STD = 'Rust’s standard library';
const OTHER = 'other crates, cxx, C++';
const SECTIONS = { 'tables for unwinding': /^\.(eh_frame|eh_frame_hdr|gcc_except_table)$/, 'relocations': /^\.(rela\.dyn|rel\.dyn|relr\.dyn)$/ };

/**
 * `[part, bytes]`, the heaviest first.
 * @param {string} linked a shared library with its symbols
 * @param {string} archive the static library as cargo has left it, which still has a member for each C file
 * @param {{ nm?: string, size?: string }} tools
 */
export function weights(linked, archive, { nm = 'nm', size = 'size' } = {}) {
  const ofC = cFunctions(archive, nm);
  const total = new Map();
  const add = (part, bytes) => total.set(part, (total.get(part) ?? 0) + bytes);
  for (const line of output(nm, ['-S', '-C', '--defined-only', linked])) {
    const [, bytes, name] = /^[\da-f]+ ([\da-f]+) [tTwWrRdD] (.*)$/.exec(line) ?? [];
    if (bytes) add(name.includes('::') ? partOf(name) : (ofC.get(name) ?? OTHER), parseInt(bytes, 16));
  }
  for (const line of output(size, ['-A', '-d', linked])) {
    const [, section, bytes] = /^(\.\S+)\s+(\d+)/.exec(line) ?? [];
    const part = Object.keys(SECTIONS).find((name) => section && SECTIONS[name].test(section));
    if (part) add(part, Number(bytes));
  }
  return [...total].sort(([, one], [, other]) => other - one);
}

function partOf(name) {
  const crates = [...name.matchAll(/(?<![\w:])([a-z_][a-z_0-9]*)(?=::|\[)/g)].map(([, crate]) => crate);
  const parts = crates.map((crate) => Object.keys(PARTS).find((part) => PARTS[part].includes(crate)));
  return parts.find((part) => part && part !== STD) ?? parts.find(Boolean) ?? OTHER;
}

/** Names of what is written in C or assembly, with the part it belongs to. */
function cFunctions(archive, nm) {
  const found = new Map();
  let part;
  for (const line of output(nm, ['--defined-only', archive])) {
    const [, member] = /^(\S+\.o):$/.exec(line) ?? [];
    // Rust's own objects have a hash of their own kind in the name; ring's and SQLite's are named after their files.
    if (member) part = /sqlite3\.o$/.test(member) ? C_SQLITE : /\.rcgu\.o$|(cxx|lib\.rs)\.o$/.test(member) ? undefined : C_TLS;
    const [, name] = /^[\da-f]+ \w (\S+)$/.exec(line) ?? [];
    if (name && part) found.set(name, part);
  }
  return found;
}

function output(command, args) {
  return execFileSync(command, args, { encoding: 'utf8', maxBuffer: 1 << 28, stdio: ['ignore', 'pipe', 'ignore'] }).split('\n');
}
