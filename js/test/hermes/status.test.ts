/** Status, pending changes and events of the real engine without a backend. */
import { assert, sleep, test, until } from '../../../scripts/host/harness';
import { addStatusListener, getConnector, type SyncStatus, triggerSync } from '../../index';
import { insertEntity, open, syncError, temporaryDirectory, unreachable } from './setup';

test('a new database is offline, nothing is pending, and the snapshot keeps its identity', async () => {
  const db = await open();
  const { status, connected, pendingChanges, parkedChanges, hasSynced, lastSyncedAt, nextRetryAt, error } = db.currentStatus;
  assert.deepEqual(
    [status, connected, pendingChanges, parkedChanges, hasSynced, lastSyncedAt, nextRetryAt, error],
    ['offline', false, 0, 0, false, null, null, null]
  );
  assert.equal(db.currentStatus, db.currentStatus);
  await db.getAll('SELECT 1');
  const before = db.currentStatus;
  await sleep(20);
  assert.equal(db.currentStatus, before);
});

test('offline writes are counted at once, survive closing, and are told to listeners', async () => {
  const directory = temporaryDirectory();
  const db = await open({ directory });
  const seen: SyncStatus[] = [];
  db.registerListener({ statusChanged: (status) => seen.push(status) });
  await insertEntity(db, 'a');
  assert.equal(db.currentStatus.pendingChanges, 1);
  await insertEntity(db, 'b');
  assert.equal(db.currentStatus.pendingChanges, 2);
  await until(() => seen.some(({ pendingChanges }) => pendingChanges === 2), 'an event with two pending changes');
  const told = seen.map(({ pendingChanges }) => pendingChanges);
  assert.deepEqual(told, [...new Set(told)].sort(), 'never back, never twice; writes close together may be told as one');
  await db.close();
  assert.equal((await open({ directory })).currentStatus.pendingChanges, 2);
});

test('one commit gives one event with its tables; a rollback gives none', async () => {
  const db = await open();
  const events: string[][] = [];
  const stop = db.registerListener({ tablesChanged: (tables) => events.push([...tables].sort()) });
  await db.writeTransaction(async (tx) => {
    await insertEntity(tx, 'a');
    await insertEntity(tx, 'b');
    await tx.execute('INSERT INTO sync_relationships (id, from_entity_id, to_entity_id, relationship_type) VALUES (?, ?, ?, ?)', ['r', 'a', 'b', 'knows']);
  });
  await until(() => events.length > 0, 'an event');
  await assert.rejects(
    db.writeTransaction(async (tx) => {
      await insertEntity(tx, 'c');
      throw new Error('mine');
    })
  );
  await insertEntity(db, 'd');
  await until(() => events.length > 1, 'the second event');
  stop();
  await insertEntity(db, 'e');
  await sleep(20);
  assert.deepEqual(events, [['sync_entities', 'sync_relationships'], ['sync_entities']]);
});

test('a backend that can not be reached: offline with a retryable Network error and a time for the next attempt', async () => {
  const db = await open({ connector: unreachable });
  await insertEntity(db, 'a');
  await db.connect();
  await until(() => db.currentStatus.error?.code === 'Network', 'a Network error');
  const { status, connected, error, pendingChanges } = db.currentStatus;
  assert.deepEqual([status, connected, error?.retryable, pendingChanges], ['offline', false, true, 1]);
  await until(() => db.currentStatus.nextRetryAt !== null, 'a time for the next attempt');
  await assert.rejects(db.triggerSync(), syncError('Network'));
  await assert.rejects(getConnector().health(), syncError('Network'));
  await assert.rejects(getConnector().fetchChanges(), syncError('Network'));
  await db.disconnect();
  assert.equal(db.currentStatus.connecting, false);
  assert.equal(db.currentStatus.pendingChanges, 1);
});

test('nobody signed in: triggerSync rejects with NoCredentials, the status is offline', async () => {
  const db = await open();
  await db.connect();
  await assert.rejects(db.triggerSync(), syncError('NoCredentials'));
  assert.equal(db.currentStatus.status, 'offline');
});

test('the module-level functions follow the open database', async () => {
  const seen: string[] = [];
  const { remove } = addStatusListener(({ status, pendingChanges }) => seen.push(`${status} ${pendingChanges}`));
  assert.deepEqual(seen, ['offline 0']);
  await assert.rejects(triggerSync(), syncError('NotOpen'));
  assert.throws(() => getConnector(), syncError('NotOpen'));
  const db = await open();
  await insertEntity(db, 'a');
  await until(() => seen.at(-1) === 'offline 1', 'word of the pending change');
  assert.equal(await getConnector().fetchCredentials(), null);
  await db.close();
  assert.equal(seen.at(-1), 'offline 0');
  remove();
});
