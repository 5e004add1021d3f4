/** Values on their way through JSI, Rust and SQLite and back. */
import { assert, test } from '../../../scripts/host/harness';
import type { SqlParameter, SqlValue } from '../../index';
import { insertEntity, open, syncError } from './setup';

const bytes = (...values: number[]): ArrayBuffer => new Uint8Array(values).buffer;

const roundTrips: [name: string, parameter: SqlParameter, result: SqlValue, type: string][] = [
  ['null', null, null, 'null'],
  ['true', true, 1, 'integer'],
  ['false', false, 0, 'integer'],
  ['zero', 0, 0, 'integer'],
  ['a negative integer', -42, -42, 'integer'],
  ['the largest safe integer', Number.MAX_SAFE_INTEGER, Number.MAX_SAFE_INTEGER, 'integer'],
  ['a small bigint comes back as a number', 5n, 5, 'integer'],
  ['a bigint beyond 2^53', 9007199254740993n, 9007199254740993n, 'integer'],
  ['the least 64-bit integer', -9223372036854775808n, -9223372036854775808n, 'integer'],
  ['the largest 64-bit integer', 9223372036854775807n, 9223372036854775807n, 'integer'],
  ['a fraction', 0.1, 0.1, 'real'],
  ['a huge number', 1e300, 1e300, 'real'],
  ['infinity', -Infinity, -Infinity, 'real'],
  ['text', 'plain', 'plain', 'text'],
  ['empty text', '', '', 'text'],
  ['text with an emoji, an umlaut and CJK', 'a😀ü漢', 'a😀ü漢', 'text'],
  ['text with a NUL', 'a\0b', 'a\0b', 'text'],
  ['text that looks like SQL', "'); DROP TABLE sync_entities; --", "'); DROP TABLE sync_entities; --", 'text'],
  ['long text', 'é'.repeat(100_000), 'é'.repeat(100_000), 'text'],
  ['a blob', bytes(0, 1, 255), bytes(0, 1, 255), 'blob'],
  ['an empty blob', bytes(), bytes(), 'blob'],
  ['a view shows its part', new Uint8Array(bytes(1, 2, 3, 4), 1, 2), bytes(2, 3), 'blob'],
];

test('values round trip, on the reader and on the writer', async () => {
  const db = await open();
  for (const [name, parameter, result, type] of roundTrips) {
    const sql = 'SELECT ? AS value, typeof(?1) AS type';
    assert.deepEqual(await db.get(sql, [parameter]), { value: result, type }, name);
    assert.deepEqual((await db.execute(sql, [parameter])).array, [{ value: result, type }], name);
  }
});

test('a row keeps what the columns hold; NULL where nothing was said', async () => {
  const db = await open();
  const properties = JSON.stringify({ tags: ['ü', '😀'], deep: { n: 1.5, none: null } });
  const inserted = await db.execute(
    'INSERT INTO sync_entities (id, entity_type, name, rank, weight, properties) VALUES (?, ?, ?, ?, ?, ?)',
    ['e1', 'task', 'Ünïcode 😀', 9007199254740993n, 0.25, properties]
  );
  assert.equal(inserted.rowsAffected, 1);
  assert.equal(typeof inserted.insertId, 'number');
  assert.deepEqual(await db.get('SELECT * FROM sync_entities'), {
    id: 'e1', entity_type: 'task', name: 'Ünïcode 😀', rank: 9007199254740993n, weight: 0.25, properties,
  });
  await insertEntity(db, 'e2');
  assert.deepEqual(await db.get('SELECT rank, weight, properties FROM sync_entities WHERE id = ?', ['e2']), {
    rank: null, weight: null, properties: null,
  });
});

test('the shapes of results', async () => {
  const db = await open();
  await insertEntity(db, 'a', 'first');
  await insertEntity(db, 'b', 'second');
  const { rows, array, rowsAffected } = await db.execute<{ id: string }>('SELECT id FROM sync_entities ORDER BY id');
  assert.deepEqual(array, [{ id: 'a' }, { id: 'b' }]);
  assert.deepEqual([rows.length, rows.item(0), rows.item(2), rowsAffected], [2, { id: 'a' }, null, 0]);
  assert.equal((await db.execute('UPDATE sync_entities SET rank = 1')).rowsAffected, 2);
  assert.equal(await db.getOptional('SELECT 1 FROM sync_entities WHERE id = ?', ['c']), null);
  await assert.rejects(db.get('SELECT 1 FROM sync_entities WHERE id = ?', ['c']), syncError('NotFound'));
  assert.deepEqual(await db.getAll('SELECT id FROM sync_entities WHERE 0'), []);
});

test('parameters that SQLite has no type for are refused by position', async () => {
  const db = await open();
  for (const [parameter, word] of [[undefined, 'null'], [new Date(), 'toISOString'], [{}, 'JSON.stringify'], [NaN, 'NaN'], [1n << 64n, '64 bits']]) {
    await assert.rejects(
      db.getAll('SELECT ?, ?', [1, parameter as SqlParameter]),
      syncError('BadArgument', 'parameter 2', word as string)
    );
  }
});

test('a thousand rows of eight columns arrive whole', async () => {
  const db = await open();
  const rows = await db.getAll<{ n: number; text: string }>(
    `WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c WHERE n < 1000)
     SELECT n, 'row ' || n AS text, n, n * 0.5 AS half, NULL AS none, 'ü' AS u, x'00' AS blob, -n AS minus FROM c`
  );
  assert.equal(rows.length, 1000);
  assert.equal(rows[999]?.text, 'row 1000');
});
