/** Against the fake native module: what JavaScript adds to it. The real one is tested in ../hermes. */
import assert from 'node:assert/strict';
import { afterEach, beforeEach, test } from 'node:test';
import { column, type Database, openDatabase, Schema, type SyncStatus, Table } from '../../index';
import { fake, nativeError } from '../fakes/native';
import { consoleErrors, isSyncError, settled } from './expect';

const schema = new Schema({ t: new Table({ a: column.text }) });
const connector = { fetchCredentials: () => Promise.resolve({ endpoint: 'http://h', token: 'tok' }) };

let db: Database;
let id: number;
beforeEach(async () => {
  fake.log.length = 0;
  fake.onSql = () => ({});
  db = await openDatabase({ schema, userId: 'u', connector });
  id = fake.openIds().at(-1) ?? 0;
});

afterEach(() => db.close());

test('opening does not connect; options reach the engine', () => {
  assert.deepEqual(fake.log, ['open']);
  assert.equal(fake.optionsOf(id)?.userId, 'u');
  assert.equal(db.currentStatus.status, 'offline');
});

test('the second open of a file is AlreadyOpen, wrong options are refused without asking the engine', async () => {
  await assert.rejects(openDatabase({ schema, userId: 'u', connector }), (e) => isSyncError(e, 'AlreadyOpen'));
  fake.log.length = 0;
  await assert.rejects(openDatabase({ schema, userId: '', connector }), (e) => isSyncError(e, 'InvalidOptions'));
  assert.deepEqual(fake.log, []);
});

test('the shapes of results', async () => {
  fake.onSql = (sql) => (sql.startsWith('SELECT') ? { rows: [{ a: 1 }, { a: 2 }] } : { rowsAffected: 1, insertId: 5 });
  const inserted = await db.execute('INSERT', [1]);
  assert.equal(inserted.insertId, 5);
  assert.equal(inserted.rowsAffected, 1);
  const selected = await db.execute<{ a: number }>('SELECT 1');
  assert.ok(!('insertId' in selected));
  assert.deepEqual([selected.rows.length, selected.rows.item(1), selected.rows.item(2)], [2, { a: 2 }, null]);
  assert.equal(selected.array, selected.rows._array);
  assert.deepEqual(await db.getAll('SELECT 1'), [{ a: 1 }, { a: 2 }]);
  assert.deepEqual(await db.getOptional('SELECT 1'), { a: 1 });
  assert.deepEqual(await db.get('SELECT 1'), { a: 1 });
  fake.onSql = () => ({});
  assert.equal(await db.getOptional('SELECT 1'), null);
  await assert.rejects(db.get('SELECT 1'), (e) => isSyncError(e, 'NotFound', 'getOptional'));
});

test('errors of the engine and of arguments are SyncErrors', async () => {
  fake.onSql = () => { throw nativeError('Sql', 'no such table: x'); };
  await assert.rejects(db.execute('SELECT * FROM x'), (e) => isSyncError(e, 'Sql', 'x'));
  await assert.rejects(db.getAll('SELECT ?', [new Date() as unknown as string]), (e) => isSyncError(e, 'BadArgument', '1'));
  await assert.rejects(db.execute(''), (e) => isSyncError(e, 'BadArgument'));
  await assert.rejects(db.writeTransaction(5 as unknown as () => void), (e) => isSyncError(e, 'BadArgument', 'a number'));
});

test('a transaction commits and answers what the callback answered', async () => {
  const seen: string[] = [];
  fake.onSql = (sql) => { seen.push(sql); return { rows: [{ a: 1 }] }; };
  const answer = await db.writeTransaction(async (tx) => {
    await tx.execute('INSERT');
    return (await tx.get<{ a: number }>('SELECT')).a;
  });
  assert.equal(answer, 1);
  assert.deepEqual(seen, ['[7] INSERT', '[7] SELECT']);
  assert.deepEqual(fake.log.slice(-4), [`begin(${id})`, `execute(${id})`, `execute(${id})`, `commit(${id})`]);
});

test('what the callback throws is rethrown unchanged after a rollback', async () => {
  for (const thrown of [new Error('mine'), 'text', undefined]) {
    const fails = [async () => Promise.reject(thrown), () => { throw thrown; }];
    for (const callback of fails) {
      await db.writeTransaction(callback).then(
        () => assert.fail('resolved'),
        (rejection: unknown) => { assert.equal(rejection, thrown); }
      );
      assert.deepEqual(fake.log.slice(-2), [`begin(${id})`, `rollback(${id})`]);
    }
  }
});

test('a failed commit is reported and rolled back', async () => {
  fake.fail.commit = nativeError('DiskFull', 'no space left', true);
  await assert.rejects(db.writeTransaction(async () => 1), (e) => isSyncError(e, 'DiskFull'));
  assert.equal(fake.log.at(-1), `rollback(${id})`);
});

test('statements that are not awaited are waited for; after the end there are none', async () => {
  let late: (() => Promise<unknown>) | undefined;
  let release = (): void => undefined;
  fake.hold.execute = new Promise<void>((resolve) => { release = resolve; });
  const done = db.writeTransaction(async (tx) => {
    void tx.execute('INSERT');
    late = () => tx.getAll('SELECT');
  });
  await settled();
  assert.equal(fake.log.at(-1), `execute(${id})`, 'no commit yet');
  release();
  await done;
  assert.equal(fake.log.at(-1), `commit(${id})`);
  assert.ok(late);
  await assert.rejects(late(), (e) => isSyncError(e, 'TransactionEnded', 'await'));
});

test('the snapshot keeps its identity until something changes, and never goes back', async () => {
  const seen: SyncStatus[] = [];
  const stop = db.registerListener({ statusChanged: (status) => seen.push(status) });
  const first = db.currentStatus;
  fake.setStatus(id, {});
  assert.equal(db.currentStatus, first);
  fake.setStatus(id, { pendingChanges: 1 });
  assert.equal(db.currentStatus.pendingChanges, 1);
  assert.equal(db.currentStatus, db.currentStatus);
  fake.announceStale(id);
  assert.equal(db.currentStatus.pendingChanges, 1);
  fake.setStatus(id + 1000, { pendingChanges: 9 });
  assert.deepEqual(seen, [db.currentStatus]);
  stop();
  fake.setStatus(id, { pendingChanges: 2 });
  assert.equal(seen.length, 1);
});

test('a write is in the status when it has been awaited, before any event', async () => {
  fake.onSql = () => {
    fake.setStatus(id, { pendingChanges: 1 }, false);
    return { rowsAffected: 1 };
  };
  await db.execute('INSERT');
  assert.equal(db.currentStatus.pendingChanges, 1);
  await db.connect();
  assert.equal(db.currentStatus.status, 'connecting');
});

test('a listener that throws does not stop the others', async () => {
  const seen: string[] = [];
  db.registerListener({ tablesChanged: () => { throw new Error('mine'); } });
  db.registerListener({ tablesChanged: (tables) => seen.push(...tables) });
  const errors = await consoleErrors(() => { fake.changeTables(id, ['t']); });
  assert.deepEqual(seen, ['t']);
  assert.equal(errors.length, 1);
  for (const listener of [undefined, { statusChanged: 5 }]) {
    assert.throws(() => db.registerListener(listener as never), (e) => isSyncError(e, 'BadArgument'));
  }
});

test('listeners may be objects with methods that use this', () => {
  const counter = { count: 0, tablesChanged() { this.count += 1; } };
  db.registerListener(counter);
  fake.changeTables(id, ['t']);
  assert.equal(counter.count, 1);
});

test('credentials are answered for this database', async () => {
  assert.deepEqual(await fake.requestCredentials(id), {
    credentials: '{"endpoint":"http://h","token":"tok","expiresAt":null}',
    error: '',
  });
});

test('close may be called again; afterwards everything is Closed and nothing is emitted', async () => {
  const before = fake.subscriptions();
  const seen: string[] = [];
  fake.setStatus(id, { status: 'synced', connected: true });
  db.registerListener({ statusChanged: ({ status }) => seen.push(status), tablesChanged: () => seen.push('tables') });
  const closing = db.close();
  assert.equal(db.close(), closing);
  await assert.rejects(db.getAll('SELECT 1'), (e) => isSyncError(e, 'Closed'));
  await closing;
  assert.equal(fake.subscriptions(), before - 5);
  assert.equal(fake.log.filter((call) => call === `close(${id})`).length, 1);
  fake.setStatus(id, { status: 'syncing' });
  fake.changeTables(id, ['t']);
  void fake.requestCredentials(id);
  assert.deepEqual(seen, ['offline']);
  assert.equal(db.currentStatus.status, 'offline');
  for (const call of [
    () => db.execute('X'), () => db.get('X'), () => db.getOptional('X'), () => db.writeTransaction(() => 1),
    () => db.connect(), () => db.disconnect(), () => db.triggerSync(), () => db.clearAndReconnect(),
  ]) {
    await assert.rejects(call(), (e) => isSyncError(e, 'Closed', 'openDatabase'));
  }
  db.registerListener({})();
});

test('closing in the middle of a transaction ends it with Closed', async () => {
  await assert.rejects(
    db.writeTransaction(async (tx) => {
      await db.close();
      await tx.execute('INSERT');
    }),
    (e) => isSyncError(e, 'Closed')
  );
});
