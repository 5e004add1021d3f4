/** The native module's statements, called directly: what each answers, and what it says to wrong arguments. */
import { assert, test } from '../../../scripts/host/harness';
import native from '../../NativeOmniiSync';
import { type Database, Schema, type SyncErrorCode, Table, column } from '../../index';
import type { NativeResult } from '../../types';
import { open, temporaryDirectory } from './setup';

type Raw = { columnNames: string[]; rows: unknown[][]; rowsAffected: number; insertId?: number };
type Failure = Error & { code?: unknown; retryable?: unknown; table?: unknown; rowId?: unknown };

const schema = new Schema({
  notes: new Table({ title: column.text, n: column.integer, r: column.real, meta: column.json }),
});
const nobody = 4_000_000_000;
const unknownTransactions = [77, 2 ** 52, 2 ** 52 + 5, 2 ** 53];

const failsWith =
  (code: SyncErrorCode, ...words: string[]) =>
  (thrown: unknown): boolean => {
    assert.ok(thrown instanceof Error, 'not an Error');
    assert.equal((thrown as Failure).code, code, thrown.message);
    for (const word of words) {
      assert.ok(thrown.message.includes(word), `"${thrown.message}" does not say "${word}"`);
    }
    return true;
  };

/** A database with its native id. */
async function opened(): Promise<{ db: Database; id: number }> {
  const db = await open({ schema });
  // The ids count up; the newest is this one.
  let id = 0;
  for (let tried = 1; tried < 200; tried++) {
    id = await native.query(tried, 'SELECT 1', []).then(() => tried, () => id);
  }
  return { db, id };
}

const raw = async (id: number, transaction: number, sql: string, params: unknown[] = []): Promise<Raw> =>
  (await native.executeRaw(id, transaction, sql, params)) as Raw;
const count = async (id: number): Promise<unknown> =>
  (await raw(id, 0, 'SELECT count(*) FROM notes')).rows[0]?.[0];
const sync = (id: number, sql: string, params: unknown[] = []): NativeResult =>
  native.querySync(id, sql, params) as NativeResult;
const insert = 'INSERT INTO notes (id, title) VALUES (?, ?)';
const endless = 'WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n';

const calls: Record<string, (id: number) => Promise<unknown>> = {
  executeRaw: (id) => native.executeRaw(id, 0, 'SELECT 1', []),
  executeBatch: (id) => native.executeBatch(id, 0, 'SELECT 1', []),
  describe: (id) => native.describe(id, 'SELECT 1'),
  interrupt: (id) => native.interrupt(id),
  begin: (id) => native.begin(id, 'read'),
  querySync: (id) => Promise.resolve().then(() => native.querySync(id, 'SELECT 1', [])),
};

for (const [name, call] of Object.entries(calls)) {
  test(`${name}: an unknown database is Closed, a number that is no id is BadArgument`, async () => {
    await assert.rejects(call(nobody), failsWith('Closed'));
    for (const id of [-1, 0.5, NaN, Infinity]) {
      await assert.rejects(call(id), failsWith('BadArgument', 'databaseId'));
    }
  });
}

test('executeRaw answers arrays, of columns with the same name too', async () => {
  const { id } = await opened();
  const blob = new Uint8Array([1, 2]).buffer;
  const result = await raw(id, 0, 'SELECT ? AS a, ? AS a, ? AS b, ?, NULL', ['ü', 1.5, blob, 9007199254740993n]);
  assert.deepEqual(result.columnNames, ['a', 'a', 'b', '?', 'NULL']);
  const [row] = result.rows;
  assert.equal(result.rows.length, 1);
  assert.deepEqual([row?.[0], row?.[1], row?.[3], row?.[4]], ['ü', 1.5, 9007199254740993n, null]);
  assert.deepEqual([...new Uint8Array(row?.[2] as ArrayBuffer)], [1, 2]);
  const inserted = await raw(id, 0, insert, ['a', 'x']);
  assert.deepEqual([inserted.rows, inserted.columnNames, inserted.rowsAffected], [[], [], 1]);
  assert.equal(typeof inserted.insertId, 'number');
  assert.deepEqual((await raw(id, 0, 'SELECT id FROM notes WHERE 0')).columnNames, ['id'], 'also without rows');
  assert.deepEqual((await raw(id, 0, 'UPDATE notes SET n = 1 RETURNING id, n')).rows, [['a', 1]]);
  await assert.rejects(native.executeRaw(id, 0, 'SELECT ?', [Symbol('x')]), failsWith('BadArgument', 'params[0]', 'symbol'));
  await assert.rejects(native.executeRaw(id, 0, 'SELECT ?', {}), failsWith('BadArgument', 'array'));
  await assert.rejects(native.executeRaw(id, -1, 'SELECT 1', []), failsWith('BadArgument', 'transactionId'));
});

test('executeBatch: all sets or none, and wrong ones are named', async () => {
  const { id } = await opened();
  const sets = Array.from({ length: 5_000 }, (_, i) => [`r${String(i)}`, i % 2 === 0 ? 'even' : null]);
  assert.equal(await native.executeBatch(id, 0, insert, sets), 5_000);
  assert.equal(await native.executeBatch(id, 0, 'DELETE FROM notes WHERE title IS ?', [['even'], ['none']]), 2_500);
  assert.equal(await native.executeBatch(id, 0, insert, []), 0);
  assert.equal(await native.executeBatch(id, 0, 'UPDATE notes SET n = 1', [[], []]), 5_000);
  await assert.rejects(native.executeBatch(id, 0, insert, [['a', 'x'], ['a', 'y']]), failsWith('Constraint', 'parameter set 1'));
  await assert.rejects(native.executeBatch(id, 0, insert, [['a', 'x'], ['b']]), failsWith('BadArgument', 'set 1', '2 parameters'));
  for (const [given, ...words] of [
    [{}, 'array of arrays'],
    [['a', 'x'], 'paramSets[0]'],
    [[['a', 'x'], null], 'paramSets[1]'],
    [[['a', ['nested']]], 'paramSets[0]', 'params[1]', 'array'],
    [[['a', { o: 1 }]], 'paramSets[0]', 'params[1]', 'object'],
  ] as [object, ...string[]][]) {
    await assert.rejects(native.executeBatch(id, 0, insert, given), failsWith('BadArgument', ...words));
  }
  assert.equal(await count(id), 2_500);
  for (const transaction of unknownTransactions) {
    await assert.rejects(native.executeBatch(id, transaction, insert, [['z', 'z']]), failsWith('TransactionEnded'));
  }
});

test('querySync answers as query does, at once', async () => {
  const { db, id } = await opened();
  await native.executeBatch(id, 0, insert, [['a', 'x'], ['b', 'ü']]);
  const sql = 'SELECT id, title, n FROM notes WHERE id >= ? ORDER BY id';
  assert.deepEqual(sync(id, sql, ['a']), (await native.query(id, sql, ['a'])) as NativeResult);
  const transaction = await native.begin(id, 'write');
  await native.execute(id, transaction, 'DELETE FROM notes', []);
  assert.equal(sync(id, sql, ['a']).rows.length, 2, 'it does not wait for the writer');
  await native.commit(id, transaction);
  assert.equal(sync(id, sql, ['a']).rows.length, 0);
  assert.throws(() => sync(id, 'DELETE FROM notes'), failsWith('ReadOnly', 'execute()'));
  assert.throws(() => sync(id, 'BEGIN'), failsWith('BadArgument'));
  assert.throws(() => sync(id, 'SELEC'), failsWith('Sql'));
  assert.throws(() => sync(id, 'SELECT ?', [Symbol('x')]), failsWith('BadArgument', 'params[0]'));
  assert.throws(() => native.querySync(id, 'SELECT 1', {}), failsWith('BadArgument', 'array'));
  await native.prepareForSuspend(id);
  assert.throws(
    () => sync(id, 'SELECT 1'),
    (thrown) => failsWith('Suspended', 'resume()')(thrown) && (thrown as Failure).retryable === true
  );
  await native.resume(id);
  assert.equal(sync(id, 'SELECT 1 AS one').rows.length, 1);
  await db.close();
  assert.throws(() => sync(id, 'SELECT 1'), failsWith('Closed'));
});

test('describe names tables, parameters and columns, and runs nothing', async () => {
  const { id } = await opened();
  await native.execute(id, 0, 'CREATE VIEW titles AS SELECT title FROM notes', []);
  const is = async (sql: string): Promise<unknown> => JSON.parse(await native.describe(id, sql));
  assert.deepEqual(await is('SELECT title AS t FROM titles WHERE title = ?'), {
    tables: ['notes'],
    readOnly: true,
    parameters: 1,
    columnNames: ['t'],
  });
  assert.deepEqual(await is(insert), { tables: ['notes'], readOnly: false, parameters: 2, columnNames: [] });
  assert.equal(await count(id), 0);
  await assert.rejects(native.describe(id, 'SELECT * FROM nowhere'), failsWith('Sql', 'nowhere'));
  await assert.rejects(native.describe(id, ' '), failsWith('BadArgument'));
});

test('interrupt ends what runs and waits, and nothing that comes later', async () => {
  const { id } = await opened();
  const transaction = await native.begin(id, 'read');
  const asked = [
    ...Array.from({ length: 6 }, () => native.query(id, endless, [])),
    native.execute(id, 0, endless, []),
    native.execute(id, 0, insert, ['a', 'x']),
    native.execute(id, transaction, endless, []),
  ].map((statement) =>
    assert.rejects(statement, (thrown) => failsWith('Interrupted')(thrown) && (thrown as Failure).retryable === true)
  );
  await new Promise((resolve) => setTimeout(resolve, 30));
  await native.interrupt(id);
  await Promise.all(asked);
  await native.execute(id, 0, insert, ['b', 'y']);
  assert.equal((await raw(id, transaction, 'SELECT id FROM notes')).rows.length, 0, 'its snapshot is still there');
  await native.commit(id, transaction);
  assert.equal(await count(id), 1);
});

test('begin: each mode is what it says', async () => {
  const { id } = await opened();
  const [read, readLock] = [await native.begin(id, 'read'), await native.begin(id, 'readLock')];
  const writeLock = await native.begin(id, 'writeLock');
  await native.execute(id, writeLock, insert, ['a', 'x']);
  const seenBy = async (transaction: number): Promise<number> =>
    (await raw(id, transaction, 'SELECT id FROM notes')).rows.length;
  assert.deepEqual([await seenBy(read), await seenBy(readLock), await seenBy(writeLock)], [0, 1, 1]);
  await assert.rejects(native.execute(id, read, insert, ['b', 'x']), failsWith('ReadOnly', 'writeTransaction()'));
  await assert.rejects(native.executeBatch(id, readLock, insert, [['b', 'x']]), failsWith('ReadOnly'));
  await assert.rejects(native.executeRaw(id, writeLock, 'BEGIN', []), failsWith('BadArgument'));
  assert.equal(await native.executeBatch(id, writeLock, insert, [['b', 'x'], ['c', 'x']]), 2);
  await native.rollback(id, writeLock);
  assert.equal(await count(id), 3, 'what a lock has committed stays');
  await native.commit(id, read);
  await native.rollback(id, readLock);
  for (const transaction of [read, readLock, writeLock, ...unknownTransactions]) {
    await assert.rejects(native.execute(id, transaction, 'SELECT 1', []), failsWith('TransactionEnded'));
    await assert.rejects(native.executeRaw(id, transaction, 'SELECT 1', []), failsWith('TransactionEnded'));
    await assert.rejects(native.commit(id, transaction), failsWith('TransactionEnded'));
    await assert.rejects(native.rollback(id, transaction), failsWith('TransactionEnded'));
  }
  for (const mode of ['', 'Read', 'exclusive']) {
    await assert.rejects(native.begin(id, mode), failsWith('BadArgument', 'readLock'));
  }
});

test('read transactions end with the suspension, and say so', async () => {
  const { db, id } = await opened();
  const held = [await native.begin(id, 'read'), await native.begin(id, 'readLock'), await native.begin(id, 'writeLock')];
  await native.prepareForSuspend(id);
  for (const transaction of held) {
    await assert.rejects(native.executeRaw(id, transaction, 'SELECT 1', []), failsWith('TransactionEnded', 'suspended'));
  }
  const later = native.begin(id, 'read');
  await native.resume(id);
  await native.commit(id, await later);
  const open = await native.begin(id, 'read');
  await db.close();
  await assert.rejects(native.executeRaw(id, open, 'SELECT 1', []), failsWith('Closed'));
});

test('with bigIntegers: error a result that JavaScript can not hold names the column', async () => {
  const options = { schema: schema.toJSON(), userId: 'u', directory: temporaryDirectory(), filename: null, sync: {} };
  const id = await native.open(JSON.stringify({ ...options, bigIntegers: 'error' }));
  await assert.rejects(native.query(id, 'SELECT 1, 9007199254740992 AS big', []), failsWith('OutOfRange', "'big'"));
  assert.throws(() => sync(id, 'SELECT -9007199254740992 AS big'), failsWith('OutOfRange', "'big'"));
  assert.deepEqual(sync(id, 'SELECT 9007199254740991 AS most').rows, [{ most: 9007199254740991 }]);
  await native.close(id);
  await assert.rejects(native.open(JSON.stringify({ ...options, bigIntegers: 'number' })), failsWith('InvalidOptions', 'number'));
});

test('a violated constraint carries its table', async () => {
  const { id } = await opened();
  await native.execute(id, 0, insert, ['a', 'x']);
  const tableOf = (thrown: unknown): boolean => {
    const { table, rowId } = thrown as Failure;
    assert.deepEqual([table, rowId], ['notes', undefined]);
    return failsWith('Constraint')(thrown);
  };
  await assert.rejects(native.execute(id, 0, insert, ['a', 'x']), tableOf);
  await assert.rejects(native.execute(id, 0, 'UPDATE notes SET meta = ?', ['{']), tableOf);
  await assert.rejects(native.query(id, 'SELECT nothing', []), (thrown) => !('table' in (thrown as object)));
});
