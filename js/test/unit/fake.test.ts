/** The fake of `@omnii/sync/jest` itself: its backend, the status, uploads by the app, what stays between openings. */
import assert from 'node:assert/strict';
import { afterEach, test } from 'node:test';
import { syncFake } from '../../jest/index';
import { column, type Database, openDatabase, Schema, SyncError, Table } from '../../index';
import { codeOf, until } from '../contract/cases';
import { isSyncError } from './expect';

const schema = new Schema({
  notes: new Table({ title: column.text }, { trackPrevious: true, trackMetadata: true }),
  drafts: new Table({ text: column.text }, { localOnly: true }),
  events: new Table({ name: column.text }, { insertOnly: true }),
});
const connector = { fetchCredentials: () => Promise.resolve({ endpoint: 'https://example.com', token: 't' }) };
const open = (options: object = {}): Promise<Database> => openDatabase({ schema, userId: 'u', connector, ...options });
const title = async (db: Database, id: string): Promise<unknown> =>
  (await db.getOptional<{ title: string }>('SELECT title FROM notes WHERE id = ?', [id]))?.title;

afterEach(() => {
  syncFake.reset();
});

test('writes wait while offline and are uploaded when the backend is there again', async () => {
  syncFake.setOnline(false);
  const db = await open();
  await db.connect();
  await until(() => db.currentStatus.error?.code === 'Network', 'the failure');
  assert.equal(db.currentStatus.status, 'offline');
  await db.execute("INSERT INTO notes (id, title) VALUES ('a', 'A')");
  assert.equal(db.currentStatus.pendingChanges, 1);
  await assert.rejects(db.triggerSync(), (e) => isSyncError(e, 'Network'));
  syncFake.setOnline(true);
  await until(() => db.currentStatus.status === 'synced', 'synced');
  assert.equal(db.currentStatus.pendingChanges, 0);
  assert.deepEqual(syncFake.uploaded(), [{ table: 'notes', rowId: 'a', op: 'PUT', data: { title: 'A' }, userId: 'u' }]);
  assert.ok(db.currentStatus.hasSynced && db.currentStatus.lastSyncedAt instanceof Date);
  await db.disconnect();
  assert.deepEqual([db.currentStatus.status, db.currentStatus.connected], ['offline', false]);
});

test('rows of the backend arrive, are watched, and are not uploaded', async () => {
  const db = await open();
  syncFake.deliver('notes', [{ id: 'a', title: 'A' }, { id: 'b', title: 'B' }]);
  await db.connect();
  await db.waitForFirstSync();
  assert.equal(await title(db, 'a'), 'A');
  const seen: unknown[] = [];
  db.watch('SELECT title FROM notes ORDER BY id', [], { onResult: (result) => { seen.push(result.array); } }, { throttleMs: 0 });
  await until(() => seen.length === 1, 'the first result');
  syncFake.deliver('notes', [{ id: 'a', title: 'A2' }]);
  syncFake.deliverDeleted('notes', ['b']);
  await until(() => seen.length > 1 && JSON.stringify(seen.at(-1)) === '[{"title":"A2"}]', 'the new row');
  assert.deepEqual([syncFake.uploaded(), db.currentStatus.pendingChanges], [[], 0]);
});

test('refused changes are parked, retried, discarded', async () => {
  const db = await open();
  const stop = syncFake.refuse(({ rowId }) => rowId === 'bad', 'no such list');
  await db.execute("INSERT INTO notes (id, title) VALUES ('bad', 'x'), ('good', 'y')");
  await db.triggerSync();
  assert.deepEqual((await db.getParkedChanges()).map(({ rowId, operation, reason }) => [rowId, operation, reason]), [['bad', 'insert', 'no such list']]);
  assert.deepEqual([db.currentStatus.pendingChanges, db.currentStatus.parkedChanges], [0, 1]);
  assert.equal(await db.retryParked(), 1);
  await db.triggerSync();
  assert.equal(await db.discardParked(), 1);
  assert.equal(await title(db, 'bad'), undefined);
  stop();
  assert.deepEqual(syncFake.uploaded().map(({ rowId }) => rowId), ['good']);
});

test('credentials: signed out and without a network is offline, a failing connector an error', async () => {
  const signedOut = await open({ connector: { fetchCredentials: () => Promise.resolve(null) } });
  await assert.rejects(signedOut.triggerSync(), (e) => isSyncError(e, 'NoCredentials'));
  assert.equal(signedOut.currentStatus.status, 'offline');
  const failing = await open({ userId: 'v', connector: { fetchCredentials: () => Promise.reject(new Error('no keychain')) } });
  await assert.rejects(failing.triggerSync(), (e) => isSyncError(e, 'CredentialsFailed', 'no keychain'));
  assert.equal(failing.currentStatus.status, 'error');
  const offline = await open({ userId: 'w', connector: { fetchCredentials: () => Promise.reject(new SyncError('Network', 'no renewal', true)) } });
  await assert.rejects(offline.triggerSync(), (e) => isSyncError(e, 'Network', 'no renewal'));
  assert.equal(offline.currentStatus.status, 'offline');
});

test('a connector that uploads gets its transactions', async () => {
  const taken: unknown[] = [];
  const db = await open({
    connector: {
      ...connector,
      uploadData: async (database: Database) => {
        for (let tx = await database.getNextCrudTransaction(); tx !== null; tx = await database.getNextCrudTransaction()) {
          taken.push(tx.crud.map(({ op, id, previousValues, metadata }) => [op, id, previousValues, metadata]));
          await tx.complete();
        }
      },
    },
  });
  await db.execute("INSERT INTO notes (id, title, _metadata) VALUES ('a', 'A', 'why')");
  await db.execute("UPDATE notes SET title = 'B'");
  await db.triggerSync();
  assert.deepEqual(taken, [[['PUT', 'a', undefined, 'why']], [['PATCH', 'a', { title: 'A' }, undefined]]]);
  assert.deepEqual(await db.getAll('SELECT * FROM notes'), [{ id: 'a', title: 'B', _metadata: null }]);
  assert.deepEqual(syncFake.uploaded(), []);
});

test('localOnly tables are not uploaded, insertOnly ones stay empty', async () => {
  const db = await open();
  await db.execute("INSERT INTO drafts (id, text) VALUES ('d', 'x')");
  await db.execute("INSERT INTO events (id, name) VALUES ('e', 'opened')");
  assert.deepEqual(await db.getAll('SELECT * FROM events'), []);
  await db.triggerSync();
  assert.deepEqual(syncFake.uploaded().map(({ table, rowId }) => [table, rowId]), [['events', 'e']]);
  await db.disconnectAndClear({ clearLocal: false });
  assert.equal((await db.getAll('SELECT 1 FROM drafts')).length, 1);
});

test('a database keeps its content until reset; users have their own; a second opening is refused', async () => {
  const db = await open();
  await db.execute("INSERT INTO notes (id, title) VALUES ('a', 'A')");
  assert.equal(await codeOf(() => open()), 'AlreadyOpen');
  const other = await open({ userId: 'v' });
  assert.deepEqual(await other.getAll('SELECT * FROM notes'), []);
  await db.close();
  const again = await open();
  assert.equal(await title(again, 'a'), 'A');
  assert.deepEqual(await again.signOut({ onSignOut: 'clearWhenSynced' }), { cleared: true });
  assert.equal(await title(await open(), 'a'), undefined);
  syncFake.reset();
  assert.equal(await title(await open(), 'a'), undefined);
});

test('a file to import and a key are taken and mean nothing: the fake is not on a disk', async () => {
  const db = await open({ importFrom: 'omnii-powersync.db', encryptionKey: 'a key' });
  await db.execute("INSERT INTO notes (id, title) VALUES ('a', 'A')");
  assert.equal(await db.getImportResult(), null);
  await db.rekey(new Uint8Array(32));
  await assert.rejects(db.rekey(''), (e) => isSyncError(e, 'BadArgument', 'key'));
  assert.equal(await title(db, 'a'), 'A');
  await db.close();
  await assert.rejects(db.rekey('b'), (e) => isSyncError(e, 'Closed'));
  await assert.rejects(db.getImportResult(), (e) => isSyncError(e, 'Closed'));
});
