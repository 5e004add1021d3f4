/** Reads at once, raw and batch statements, prepared statements, uploads by the app: `Database` over the real engine. */
import { assert, cleanup, test } from '../../../scripts/host/harness';
import { openDatabase, type CrudTransaction, type Database } from '../../index';
import { insertEntity, open, schema, signedOut, syncError, temporaryDirectory } from './setup';

const insert = 'INSERT INTO sync_entities (id, entity_type, name, rank) VALUES (?, ?, ?, ?)';

test('executeRaw keeps columns of the same name apart', async () => {
  const db = await open();
  await insertEntity(db, 'a', 'first');
  const { columnNames, rawRows } = await db.executeRaw('SELECT id, name, name FROM sync_entities');
  assert.deepEqual([columnNames, rawRows], [['id', 'name', 'name'], [['a', 'first', 'first']]]);
  await db.writeTransaction(async (tx) => {
    assert.deepEqual((await tx.executeRaw('SELECT ?, ?', [1, null])).rawRows, [[1, null]]);
  });
  await assert.rejects(db.executeRaw('SELEC'), syncError('Sql'));
});

test('executeBatch is all or nothing, and one transaction of uploads', async () => {
  const db = await open();
  const sets = Array.from({ length: 500 }, (_, n) => [`e${n}`, 'task', 'n', n]);
  assert.equal((await db.executeBatch(insert, sets)).rowsAffected, 500);
  await assert.rejects(db.executeBatch(insert, [['x', 'task', 'n', 1], ['e1', 'task', 'n', 1]]), syncError('Constraint'));
  assert.deepEqual(await db.get('SELECT count(*) AS n FROM sync_entities'), { n: 500 });
  assert.equal((await db.executeBatch(insert, [])).rowsAffected, 0);
  await db.writeTransaction(async (tx) => { await tx.executeBatch(insert, [['y', 'task', 'n', 1]]); });
  assert.deepEqual(await db.get('SELECT count(*) AS n FROM sync_entities'), { n: 501 });
  await assert.rejects(db.executeBatch(insert, [['z']]), (e) => syncError('BadArgument')(e) || syncError('Sql')(e));
});

test('reads at once see what has been committed; writes are refused with advice', async () => {
  const db = await open();
  await insertEntity(db, 'a', 'first');
  assert.deepEqual(db.getSync('SELECT id, name FROM sync_entities WHERE id = ?', ['a']), { id: 'a', name: 'first' });
  assert.equal(db.getOptionalSync('SELECT id FROM sync_entities WHERE id = ?', ['b']), null);
  assert.deepEqual(db.getAllSync('SELECT id FROM sync_entities'), [{ id: 'a' }]);
  assert.equal(db.executeSync('SELECT 1 AS one').rows.length, 1);
  assert.throws(() => db.getSync('SELECT 1 WHERE 0'), syncError('NotFound'));
  assert.throws(() => db.executeSync('DELETE FROM sync_entities'), syncError('ReadOnly', 'await db.execute()'));
  assert.throws(() => db.getAllSync('SELEC'), syncError('Sql'));
  await db.writeTransaction(async (tx) => {
    await insertEntity(tx, 'b');
    assert.deepEqual(db.getAllSync('SELECT id FROM sync_entities'), [{ id: 'a' }]);
  });
  await db.close();
  assert.throws(() => db.getAllSync('SELECT 1'), syncError('Closed'));
});

test('prepared statements', async () => {
  const db = await open();
  const write = await db.prepare(insert);
  assert.equal(write.readOnly, false);
  for (let n = 0; n < 3; n++) {
    await write.bind([`e${n}`, 'task', 'n', n]);
    assert.equal((await write.execute()).rowsAffected, 1);
  }
  const read = await db.prepare<{ id: string }>('SELECT id FROM sync_entities WHERE rank >= ? ORDER BY rank');
  assert.deepEqual([read.readOnly, read.columnNames], [true, ['id']]);
  await read.bind([1]);
  assert.deepEqual((await read.execute()).array, [{ id: 'e1' }, { id: 'e2' }]);
  await read.bind([2]);
  assert.deepEqual((await read.execute()).array, [{ id: 'e2' }]);
  await assert.rejects(read.bind([]), syncError('BadArgument'));
  await assert.rejects(db.prepare('SELEC'), syncError('Sql'));
  await assert.rejects(db.prepare('SELECT * FROM nowhere'), syncError('Sql', 'nowhere'));
  await read.finalize();
  await assert.rejects(read.execute(), syncError('BadArgument', 'finalized'));
});

test('resolveTables, and interrupt of what runs', async () => {
  const db = await open();
  const tables = await db.resolveTables('SELECT * FROM sync_entities e JOIN sync_relationships r ON r.from_entity_id = e.id');
  assert.deepEqual([...tables].sort(), ['sync_entities', 'sync_relationships']);
  const endless = 'WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c) SELECT count(*) FROM c';
  const running = assert.rejects(db.getAll(endless), syncError('Interrupted'));
  await new Promise((resolve) => setTimeout(resolve, 30));
  await db.interrupt();
  await running;
  assert.deepEqual(await db.getAll('SELECT 1 AS one'), [{ one: 1 }]);
});

test('the app uploads by itself, transaction by transaction; what it throws is the error of the upload', async () => {
  const uploaded: [op: string, id: string][][] = [];
  let fails = true;
  const uploadData = async (database: Database): Promise<void> => {
    if (fails) {
      throw new Error('the API says no');
    }
    let transaction: CrudTransaction | null;
    while ((transaction = await database.getNextCrudTransaction()) !== null) {
      uploaded.push(transaction.crud.map(({ op, id }) => [op, id]));
      await transaction.complete();
    }
  };
  const db = await openDatabase({
    schema, userId: 'user-1', connector: { ...signedOut, uploadData }, directory: temporaryDirectory(),
  });
  cleanup(() => db.close());
  await db.writeTransaction(async (tx) => {
    await insertEntity(tx, 'a');
    await insertEntity(tx, 'b');
  });
  await db.execute('DELETE FROM sync_entities WHERE id = ?', ['a']);
  const stats = await db.getUploadQueueStats(true);
  assert.equal(stats.count, 3);
  assert.ok((stats.size ?? 0) > 0);
  const seen: number[] = [];
  for await (const { crud } of db.getCrudTransactions()) {
    seen.push(crud.length);
  }
  assert.deepEqual(seen, [2, 1]);
  const batch = await db.getCrudBatch(1);
  assert.deepEqual([batch?.crud.length, batch?.haveMore], [1, true]);
  const id = await db.getClientId();
  assert.equal(await db.getClientId(), id);
  const { getConnector } = await import('../../index');
  await assert.rejects(getConnector().uploadData(), syncError('UploadFailed', 'the API says no'));
  fails = false;
  await getConnector().uploadData();
  assert.deepEqual(uploaded, [[['PUT', 'a'], ['PUT', 'b']], [['DELETE', 'a']]]);
  assert.equal(db.currentStatus.pendingChanges, 0);
  assert.equal(await db.getNextCrudTransaction(), null);
});

test('disconnectAndClear empties the file, and it goes on being usable', async () => {
  const db = await open();
  await insertEntity(db, 'a');
  await db.disconnectAndClear({ clearLocal: false });
  assert.deepEqual(await db.getAll('SELECT id FROM sync_entities'), []);
  assert.equal(db.currentStatus.pendingChanges, 0);
  await insertEntity(db, 'b');
  assert.deepEqual(await db.getAll('SELECT id FROM sync_entities'), [{ id: 'b' }]);
});
