import assert from 'node:assert/strict';
import { test } from 'node:test';
import { column, type RowOf, Schema, Table } from '../../schema';
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
  ['unknown type', { t: table({ a: { type: 'blob' } }) }, "'t'", "'a'", "'blob'", 'column.json'],
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
