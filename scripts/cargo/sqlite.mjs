// What SQLite is compiled with besides what rusqlite asks for: without what the engine has no use for, which would be a tenth of
// SQLite in every app. FTS5 stays, because apps search with it. Tests and phones get the same SQLite.

/** The build script of libsqlite3-sys puts these flags after its own. */
export const SQLITE_FLAGS = [
  // Older full-text search, and tables for statistics and geometry that nobody asked for.
  '-USQLITE_ENABLE_FTS3',
  '-USQLITE_ENABLE_FTS3_PARENTHESIS',
  '-USQLITE_ENABLE_RTREE',
  '-USQLITE_ENABLE_DBSTAT_VTAB',
  '-USQLITE_ENABLE_STAT4',
  '-USQLITE_SOUNDEX',
  // Also what keeps a file that is not ours from being loaded as code. Its table of functions would keep all of them linked.
  '-USQLITE_ENABLE_LOAD_EXTENSION',
  '-DSQLITE_OMIT_LOAD_EXTENSION',
  // Interfaces that rusqlite does not use.
  '-DSQLITE_OMIT_DEPRECATED',
  '-DSQLITE_OMIT_SHARED_CACHE',
  '-DSQLITE_OMIT_UTF16',
  '-DSQLITE_OMIT_DESERIALIZE',
  '-DSQLITE_UNTESTABLE',
];

/** The variable for cargo's environment. `more` comes after ours, and what the caller's environment has last. */
export function sqliteFlags(more = [], env = process.env) {
  return { LIBSQLITE3_FLAGS: [...SQLITE_FLAGS, ...more, env.LIBSQLITE3_FLAGS].filter(Boolean).join(' ') };
}
