import assert from 'node:assert/strict';
import { test } from 'node:test';
import { column, type RowOf, Schema, Table, type TableOptions } from '../../schema';
import { isSyncError } from './expect';

const entities = new Table(
  { entity_type: column.text, name: column.text, rank: column.integer, weight: column.real, properties: column.json },
  { indexes: { by_type: ['entity_type', 'id'] }, required: ['name'] }
);

test('toJSON is exactly what the engine takes, in the order of declaration', () => {
  const schema = new Schema({
    sync_entities: entities,
    links: new Table({ a: column.text }, { parents: ['sync_entities', 'links'], conflictPolicy: 'serverWins' }),
  });
  assert.equal(
    JSON.stringify(schema),
    '{"tables":[{"name":"sync_entities","columns":[{"name":"entity_type","type":"text"},{"name":"name","type":"text"},' +
      '{"name":"rank","type":"integer"},{"name":"weight","type":"real"},{"name":"properties","type":"json"}],' +
      '"indexes":[{"name":"by_type","columns":["entity_type","id"]}],"required":["name"],"parents":[],' +
      '"conflictPolicy":"lastWriteWins"},' +
      '{"name":"links","columns":[{"name":"a","type":"text"}],"indexes":[],"required":[],"parents":["sync_entities","links"],' +
      '"conflictPolicy":"serverWins"}]}'
  );
});

test('options reach the engine under one name each, and only where they say something', () => {
  const native = (options: TableOptions<'a' | 'b'>) =>
    new Schema({ t: new Table({ a: column.boolean, b: column.timestamp }, options) }).toJSON().tables[0];
  const plain = {
    name: 't',
    columns: [{ name: 'a', type: 'boolean' }, { name: 'b', type: 'timestamp' }],
    indexes: [],
    required: [],
    parents: [],
    conflictPolicy: 'lastWriteWins',
  };
  for (const [options, expected] of [
    [{}, {}],
    [{ localOnly: false, insertOnly: false, trackPrevious: false, trackMetadata: false, viewName: 't' }, {}],
    [{ ignoreEmptyUpdates: true }, {}],
    [{ localOnly: true, viewName: 'v' }, { localOnly: true, viewName: 'v' }],
    [{ insertOnly: true, trackMetadata: true }, { insertOnly: true, trackMetadata: true }],
    [{ trackPrevious: true }, { trackPrevious: {} }],
    [{ trackPreviousValues: { onlyWhenChanged: false } }, { trackPrevious: {} }],
    [{ trackPrevious: { columns: ['b'], onlyWhenChanged: true } }, { trackPrevious: { columns: ['b'], onlyWhenChanged: true } }],
    [{ trackPrevious: true, trackPreviousValues: true }, { trackPrevious: {} }],
    [{ conflict: 'clientWins' }, { conflictPolicy: 'clientWins' }],
    [{ conflictPolicy: 'serverWins' }, { conflictPolicy: 'serverWins' }],
    [{ conflict: 'serverWins', conflictPolicy: 'serverWins' }, { conflictPolicy: 'serverWins' }],
    [{ indexes: { i: ['-b', 'a', '-id'] } }, { indexes: [{ name: 'i', columns: ['-b', 'a', '-id'] }] }],
  ] as [TableOptions<'a' | 'b'>, object][]) {
    assert.deepEqual(native(options), { ...plain, ...expected }, JSON.stringify(options));
  }
  // A column may have such a name.
  assert.ok(new Schema({ t: new Table({ '-a': column.text }, { indexes: { i: ['-a'] } }) }));
  assert.ok(new Schema({ t: new Table({ x: column.blob }, { localOnly: true, required: [], trackPrevious: false }) }));
});

test('row types of the newer columns', () => {
  const schema = new Schema({ t: new Table({ done: column.boolean, at: column.timestamp, bytes: column.blob }, { localOnly: true }) });
  const row: (typeof schema)['types']['t'] = { id: '1', done: 1, at: '2026-01-01', bytes: new ArrayBuffer(1) };
  // @ts-expect-error SQLite has 0 and 1
  const wrong: typeof row = { ...row, done: true };
  // @ts-expect-error a timestamp is a string
  const also: typeof row = { ...row, at: new Date() };
  assert.ok(row.id === wrong.id && wrong.id === also.id && schema.toJSON().tables.length === 1);
  // @ts-expect-error trackPrevious names columns
  assert.throws(() => new Schema({ t: new Table({ a: column.text }, { trackPrevious: { columns: ['b'] } }) }));
});

test('row types are inferred', () => {
  type Row = Schema<{ sync_entities: typeof entities }>['types']['sync_entities'];
  const row: Row = { id: '1', entity_type: null, name: 'n', rank: 1, weight: 0.5, properties: '{}' };
  const same: RowOf<typeof entities> = row;
  // @ts-expect-error rank is a number
  const wrong: Row = { ...row, rank: 'first' };
  assert.ok(same.id === wrong.id);
  // @ts-expect-error an index over a column that is not there does not compile, and is refused at run time
  assert.throws(() => new Schema({ t: new Table({ a: column.text }, { indexes: { i: ['b'] } }) }));
});

/** As an app in plain JavaScript may write it. */
const table = (columns: unknown, options?: unknown): unknown => Reflect.construct(Table, [columns, options]);
const many = Object.fromEntries(Array.from({ length: 500 }, (_, i) => [`c${i}`, column.text]));
const a = { a: column.text };

for (const [name, tables, ...words] of [
  ['no object', null, 'got null'],
  ['no tables', {}, 'no tables'],
  ['no Table', { t: { a: column.text } }, "'t'", 'new Table'],
  ['unknown type', { t: table({ a: { type: 'bytes' } }) }, "'t'", "'a'", "'bytes'", 'column.json'],
  ['a blob that is synced', { t: table({ a: column.blob }) }, "'t'", "'a'", 'localOnly'],
  ['a blob in an insertOnly table', { t: table({ a: column.blob }, { insertOnly: true }) }, "'a'", 'localOnly'],
  ['an option that is no boolean', { t: table(a, { localOnly: 1 }) }, "'t'", 'localOnly', 'a number'],
  ['local and insertOnly', { t: table(a, { localOnly: true, insertOnly: true }) }, "'t'", 'never uploaded', 'insertOnly'],
  ['local with previous values', { t: table(a, { localOnly: true, trackPrevious: true }) }, 'never uploaded', 'trackPrevious'],
  ['local with metadata', { t: table(a, { localOnly: true, trackMetadata: true }) }, 'never uploaded', 'trackMetadata'],
  ['local with required', { t: table(a, { localOnly: true, required: ['a'] }) }, 'never uploaded', 'required'],
  ['local with conflict', { t: table(a, { localOnly: true, conflict: 'serverWins' }) }, 'never uploaded', 'conflict'],
  ['a local parent', { p: table(a, { localOnly: true }), t: table(a, { parents: ['p'] }) }, "'t'", "'p'", 'localOnly'],
  ['previous values of an unknown column', { t: table(a, { trackPrevious: { columns: ['b'] } }) }, 'trackPrevious', "'b'"],
  ['previous values with a stray option', { t: table(a, { trackPrevious: { column: [] } }) }, 'trackPrevious', "'column'"],
  ['previous values as a word', { t: table(a, { trackPreviousValues: 'all' }) }, 'trackPreviousValues', 'a string'],
  ['onlyWhenChanged as a number', { t: table(a, { trackPrevious: { onlyWhenChanged: 1 } }) }, 'onlyWhenChanged', 'a number'],
  ['two names that differ', { t: table(a, { conflict: 'clientWins', conflictPolicy: 'serverWins' }) }, 'conflict and conflictPolicy', 'differ'],
  ['track names that differ', { t: table(a, { trackPrevious: true, trackPreviousValues: false }) }, 'trackPreviousValues', 'differ'],
  ['an unknown conflict', { t: table(a, { conflict: 'mine' }) }, "'t'", 'conflict', "'mine'"],
  ['an empty viewName', { t: table(a, { viewName: '' }) }, "'t'", 'viewName', 'empty name'],
  ['a reserved viewName', { t: table(a, { viewName: 'omnii_t' }) }, 'viewName', "'omnii_t'", 'reserved'],
  ['a viewName that is no string', { t: table(a, { viewName: 1 }) }, 'viewName', 'a number'],
  ['two tables of one name in SQL', { t: table(a, { viewName: 'U' }), u: table(a) }, 'in SQL', "'u'", 'twice'],
  ['metadata twice', { t: table({ _Metadata: column.text }, { trackMetadata: true }) }, "'t'", '_metadata', 'trackMetadata'],
  ['a descending unknown column', { t: table(a, { indexes: { i: ['-b'] } }) }, "'i'", "'b'"],
  ['no column', { t: table({ a: undefined }) }, "'t'", "'a'", 'undefined'],
  ['a bare word', { t: table({ a: 'text' }) }, "'t'", "'a'"],
  ['columns are no object', { t: table(['a']) }, "'t'", 'an array'],
  ['id', { t: table({ ID: column.text }) }, "'t'", "'ID'", "every table has an 'id'"],
  ['empty table name', { '': table(a) }, 'empty name'],
  ['empty column name', { t: table({ ' ': column.text }) }, "'t'", 'empty name'],
  ['empty index name', { t: table(a, { indexes: { '': ['a'] } }) }, "'t'", 'empty name'],
  ['NUL in a name', { 't\0': table(a) }, 'NUL'],
  ['reserved table', { SQLITE_x: table(a) }, "'SQLITE_x'", 'reserved'],
  ['reserved column', { t: table({ omnii_x: column.text }) }, "'t'", "'omnii_x'", 'reserved'],
  ['500 columns', { t: table(many) }, "'t'", '500', '499'],
  ['tables alike', { t: table(a), T: table(a) }, "'T'", 'twice'],
  ['columns alike', { t: table({ a: column.text, A: column.text }) }, "'t'", "'A'", 'twice'],
  ['indexes alike', { t: table(a, { indexes: { i: ['a'], I: ['a'] } }) }, "'t'", "'I'", 'twice'],
  ['index names unknown column', { t: table(a, { indexes: { i: ['b'] } }) }, "'t'", "'i'", "'b'"],
  ['empty index', { t: table(a, { indexes: { i: [] } }) }, "'i'", 'no columns'],
  ['index is no list', { t: table(a, { indexes: { i: 'a' } }) }, "'i'", 'a string'],
  ['indexes are a list', { t: table(a, { indexes: [['a']] }) }, "'t'", 'indexes', 'an array'],
  ['required names unknown column', { t: table(a, { required: ['b'] }) }, "'t'", 'required', "'b'"],
  ['required holds a number', { t: table(a, { required: [1] }) }, "'t'", 'required', 'a number'],
  ['unknown parent', { t: table(a, { parents: ['p'] }) }, "'t'", "'p'"],
  ['parents are no list', { t: table(a, { parents: 't' }) }, "'t'", 'parents', 'a string'],
  ['unknown option', { t: table(a, { index: {} }) }, "'t'", "'index'"],
  ['an unknown conflict policy', { t: table(a, { conflictPolicy: 'mine' }) }, "'t'", "'mine'", 'clientWins'],
  ['a conflict policy of another type', { t: table(a, { conflictPolicy: null }) }, "'t'", 'conflictPolicy', 'null'],
  [
    'a cycle of parents',
    { x: table(a, { parents: ['y'] }), y: table(a, { parents: ['z'] }), z: table(a, { parents: ['y'] }) },
    'cycle',
    'y → z → y',
  ],
] as [string, unknown, ...string[]][]) {
  test(`refuses: ${name}`, () => {
    assert.throws(
      () => { Reflect.construct(Schema, [tables]); },
      (thrown) => isSyncError(thrown, 'InvalidSchema', ...words)
    );
  });
}
