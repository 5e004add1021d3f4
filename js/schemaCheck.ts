/**
 * Refuses schemas that can't work, naming table and column. The engine checks the same again (rust/core/src/schema.rs);
 * here the error comes at the line that declares the schema. Everything is taken as unknown: apps also come in plain
 * JavaScript.
 */
import { describe, isRecord } from './describe';
import { SyncError } from './errors';

/** The engine's limit (rust/core/src/schema.rs says why). */
const maxColumns = 499;
const columnTypes: readonly unknown[] = ['text', 'integer', 'real', 'json', 'boolean', 'timestamp', 'blob'];
const conflictPolicies: readonly unknown[] = ['lastWriteWins', 'clientWins', 'serverWins'];
const known: readonly string[] = [
  'indexes', 'localOnly', 'insertOnly', 'trackPrevious', 'trackPreviousValues', 'trackMetadata', 'ignoreEmptyUpdates',
  'viewName', 'required', 'parents', 'conflict', 'conflictPolicy',
];

function refuse(message: string): never {
  throw new SyncError('InvalidSchema', message);
}

function checkName(what: string, name: unknown): void {
  if (typeof name !== 'string') {
    refuse(`${what} has a name that is ${describe(name)}; names are strings`);
  }
  if (name.trim() === '') {
    refuse(`${what} has an empty name`);
  }
  if (name.includes('\0')) {
    refuse(`${what} has a NUL character in its name`);
  }
  if (/^(omnii_|sqlite_)/i.test(name)) {
    refuse(`${what} '${name}': names beginning with omnii_ or sqlite_ are reserved; choose another`);
  }
}

function checkDistinct(what: string, names: readonly string[]): void {
  const seen = new Map<string, string>();
  for (const name of names) {
    const other = seen.get(name.toLowerCase());
    if (other !== undefined) {
      refuse(`${what} '${name}' is declared twice (SQLite takes '${other}' and '${name}' for the same)`);
    }
    seen.set(name.toLowerCase(), name);
  }
}

function checkColumns(table: string, columns: unknown): readonly string[] {
  if (!isRecord(columns)) {
    refuse(`table '${table}': its columns must be an object like { name: column.text }; got ${describe(columns)}`);
  }
  const names = Object.keys(columns);
  if (names.length > maxColumns) {
    refuse(`table '${table}' has ${names.length} columns; at most ${maxColumns} are possible`);
  }
  for (const [name, declared] of Object.entries(columns)) {
    checkName(`table '${table}': column`, name);
    if (name.toLowerCase() === 'id') {
      refuse(`table '${table}': column '${name}' must not be declared; every table has an 'id' TEXT primary key`);
    }
    const type = isRecord(declared) ? declared['type'] : declared;
    if (!isRecord(declared) || !columnTypes.includes(type)) {
      const got = typeof type === 'string' ? `'${type}'` : describe(type);
      refuse(
        `table '${table}': column '${name}' has an unknown type (${got}); ` +
          'use column.text, column.integer, column.real, column.boolean, column.timestamp or column.json'
      );
    }
  }
  checkDistinct(`table '${table}': column`, names);
  return names;
}

function checkColumnList(table: string, what: string, list: unknown, allowed: readonly string[]): void {
  if (!Array.isArray(list)) {
    refuse(`table '${table}': ${what} must be an array of column names; got ${describe(list)}`);
  }
  for (const name of list as readonly unknown[]) {
    if (typeof name !== 'string' || !allowed.includes(name)) {
      const got = typeof name === 'string' ? `unknown column '${name}'` : describe(name);
      refuse(`table '${table}': ${what} names ${got}; its columns are ${allowed.join(', ')}`);
    }
  }
}

/** `-name` is descending order, unless a column has that very name. */
function ascendingTerm(term: unknown, columns: readonly string[]): unknown {
  return typeof term === 'string' && term.startsWith('-') && !columns.includes(term) ? term.slice(1) : term;
}

function checkIndexes(table: string, indexes: unknown, columns: readonly string[]): void {
  if (!isRecord(indexes)) {
    refuse(`table '${table}': indexes must be an object like { by_name: ['name'] }; got ${describe(indexes)}`);
  }
  for (const [name, list] of Object.entries(indexes)) {
    checkName(`table '${table}': index`, name);
    const terms = [...columns, 'id'];
    const ascending = Array.isArray(list) ? list.map((term: unknown) => ascendingTerm(term, terms)) : (list);
    checkColumnList(table, `index '${name}'`, ascending, terms);
    if ((list as readonly unknown[]).length === 0) {
      refuse(`table '${table}': index '${name}' has no columns`);
    }
  }
  checkDistinct(`table '${table}': index`, Object.keys(indexes));
}

function checkParents(table: string, parents: unknown, tables: readonly string[]): readonly string[] {
  if (!Array.isArray(parents)) {
    refuse(`table '${table}': parents must be an array of table names; got ${describe(parents)}`);
  }
  return parents.map((parent: unknown) => {
    if (typeof parent !== 'string' || !tables.includes(parent)) {
      const got = typeof parent === 'string' ? `unknown table '${parent}'` : describe(parent);
      refuse(`table '${table}': parents names ${got}`);
    }
    return parent;
  });
}

function checkConflictPolicy(table: string, option: string, policy: unknown): void {
  if (policy !== undefined && !conflictPolicies.includes(policy)) {
    const got = typeof policy === 'string' && policy !== '' ? `'${policy}'` : describe(policy);
    refuse(`table '${table}': ${option} must be ${conflictPolicies.join(', ')} or left out; got ${got}`);
  }
}

function checkTrackPrevious(table: string, option: string, track: unknown, columns: readonly string[]): void {
  if (track === undefined || typeof track === 'boolean') {
    return;
  }
  if (!isRecord(track)) {
    refuse(`table '${table}': ${option} must be true, false or { columns, onlyWhenChanged }; got ${describe(track)}`);
  }
  const { columns: tracked, onlyWhenChanged, ...unknown } = track;
  const [stray] = Object.keys(unknown);
  if (stray !== undefined) {
    refuse(`table '${table}': ${option} has an unknown option '${stray}'; there are columns and onlyWhenChanged`);
  }
  if (tracked !== undefined) {
    checkColumnList(table, option, tracked, columns);
  }
  if (onlyWhenChanged !== undefined && typeof onlyWhenChanged !== 'boolean') {
    refuse(`table '${table}': ${option}.onlyWhenChanged must be true or false; got ${describe(onlyWhenChanged)}`);
  }
}

/** Two names of one option must not say different things. */
function checkAlias(table: string, options: Record<string, unknown>, name: string, alias: string): void {
  const [one, other] = [options[name], options[alias]];
  if (one !== undefined && other !== undefined && JSON.stringify(one) !== JSON.stringify(other)) {
    refuse(`table '${table}': ${name} and ${alias} are the same option and differ; give one of them`);
  }
}

function checkOptions(table: string, options: Record<string, unknown>, columns: Record<string, unknown>): void {
  const stray = Object.keys(options).find((name) => !known.includes(name));
  if (stray !== undefined) {
    refuse(`table '${table}': unknown option '${stray}'; there are ${known.join(', ')}`);
  }
  const names = Object.keys(columns);
  for (const name of ['localOnly', 'insertOnly', 'trackMetadata', 'ignoreEmptyUpdates']) {
    if (options[name] !== undefined && typeof options[name] !== 'boolean') {
      refuse(`table '${table}': ${name} must be true or false; got ${describe(options[name])}`);
    }
  }
  for (const name of ['trackPrevious', 'trackPreviousValues']) {
    checkTrackPrevious(table, name, options[name], names);
  }
  for (const name of ['conflict', 'conflictPolicy']) {
    checkConflictPolicy(table, name, options[name]);
  }
  checkAlias(table, options, 'trackPrevious', 'trackPreviousValues');
  checkAlias(table, options, 'conflict', 'conflictPolicy');
  if (options['viewName'] !== undefined) {
    checkName(`table '${table}': viewName`, options['viewName']);
  }
  if (options['trackMetadata'] === true && names.some((name) => name.toLowerCase() === '_metadata')) {
    refuse(`table '${table}': column '_metadata' must not be declared; trackMetadata adds it`);
  }
  checkLocal(table, options, columns);
}

/** What a table that is never uploaded can't say, and what only such a table can hold. */
function checkLocal(table: string, options: Record<string, unknown>, columns: Record<string, unknown>): void {
  if (options['localOnly'] !== true) {
    const blob = Object.entries(columns).find(([, declared]) => isRecord(declared) && declared['type'] === 'blob');
    if (blob !== undefined) {
      refuse(`table '${table}': column '${blob[0]}' is a blob, which only localOnly tables can hold`);
    }
    return;
  }
  const isGiven = (value: unknown): boolean =>
    value !== undefined && value !== false && !(Array.isArray(value) && value.length === 0);
  for (const name of ['insertOnly', 'trackPrevious', 'trackPreviousValues', 'trackMetadata', 'required', 'parents', 'conflict', 'conflictPolicy']) {
    if (isGiven(options[name])) {
      refuse(`table '${table}': localOnly tables are never uploaded, so ${name} means nothing`);
    }
  }
}

/** A table may be its own parent (trees); longer cycles leave no order in which rows could be uploaded. */
function checkCycles(parentsOf: ReadonlyMap<string, readonly string[]>): void {
  const placed = new Set<string>();
  const visit = (table: string, path: readonly string[]): void => {
    if (placed.has(table)) {
      return;
    }
    if (path.includes(table)) {
      refuse(`table '${table}': its parents form a cycle (${[...path.slice(path.indexOf(table)), table].join(' → ')})`);
    }
    for (const parent of parentsOf.get(table) ?? []) {
      if (parent !== table) {
        visit(parent, [...path, table]);
      }
    }
    placed.add(table);
  };
  for (const table of parentsOf.keys()) {
    visit(table, []);
  }
}

function isLocal(table: unknown): boolean {
  return isRecord(table) && isRecord(table['options']) && table['options']['localOnly'] === true;
}

/** Throws `SyncError{code: 'InvalidSchema'}` unless `tables` is what `new Schema` can take. */
export function checkSchema(tables: unknown): void {
  if (!isRecord(tables)) {
    refuse(`a schema must be an object like { tasks: new Table({ … }) }; got ${describe(tables)}`);
  }
  const names = Object.keys(tables);
  if (names.length === 0) {
    refuse('the schema has no tables');
  }
  const parentsOf = new Map<string, readonly string[]>();
  const sqlNames: string[] = [];
  for (const [name, table] of Object.entries(tables)) {
    checkName('table', name);
    if (!isRecord(table) || !isRecord(table['options'])) {
      refuse(`table '${name}' must be made by new Table({ … }); got ${describe(table)}`);
    }
    const options = table['options'];
    const { indexes = {}, required = [], parents = [], viewName = name } = options;
    const columns = checkColumns(name, table['columns']);
    checkOptions(name, options, table['columns'] as Record<string, unknown>);
    checkIndexes(name, indexes, columns);
    checkColumnList(name, 'required', required, columns);
    sqlNames.push(viewName as string);
    const checked = checkParents(name, parents, names);
    const local = checked.find((parent) => isLocal(tables[parent]));
    if (local !== undefined) {
      refuse(`table '${name}': its parent '${local}' is localOnly and never uploaded`);
    }
    parentsOf.set(name, checked);
  }
  checkDistinct('table', names);
  checkDistinct('in SQL, table', sqlNames);
  checkCycles(parentsOf);
}
