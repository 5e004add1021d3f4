/** What becomes of a user's file when they sign out, with and without a backend. */
import { assert, test } from '../../../scripts/host/harness';
import { type Database, type OpenOptions, supabaseConnector } from '../../index';
import { type Account, device, nameOf, quiet, schema, signUp, startServer } from './backend';
import { insertEntity, open, signedOut, syncError, temporaryDirectory, unreachable } from './setup';

const files = (directory: string): string[] => __host.list(directory).filter((name) => name.includes('.db'));

const onBackend = ({ supabase, userId, baseUrl }: Account, directory: string): Partial<OpenOptions> => ({
  schema, userId, directory, sync: quiet, connector: supabaseConnector(supabase, { baseUrl }),
});

const count = async (db: Database): Promise<number> => (await db.get<{ n: number }>('SELECT count(*) AS n FROM sync_entities')).n;

test('clearWhenSynced pushes what is pending and deletes the file; nothing is lost', async () => {
  const account = await signUp(await startServer());
  const directory = temporaryDirectory();
  const a = await open(onBackend(account, directory));
  const id = crypto.randomUUID();
  await insertEntity(a, id, 'last words');
  assert.deepEqual(await a.signOut(), { cleared: true });
  assert.deepEqual(files(directory), []);
  await assert.rejects(a.getAll('SELECT 1'), syncError('Closed'));
  await a.close();
  const again = await open(onBackend(account, directory));
  assert.deepEqual([await count(again), again.currentStatus.hasSynced], [0, false], 'a new file');
  await again.triggerSync();
  assert.equal(await nameOf(again, id), 'last words');
});

for (const [name, connector] of [['without a backend', unreachable], ['with nobody signed in', signedOut]] as const) {
  test(`clearWhenSynced ${name} keeps the file with what is pending, within its time`, async () => {
    const directory = temporaryDirectory();
    const db = await open({ directory, connector });
    await insertEntity(db, 'a');
    const started = Date.now();
    assert.deepEqual(await db.signOut({ timeoutMs: 500 }), { cleared: false });
    assert.ok(Date.now() - started < 5_000, 'bounded');
    const again = await open({ directory, connector });
    assert.equal(again.currentStatus.pendingChanges, 1);
    assert.equal(await count(again), 1);
  });
}

test('clearWhenSynced keeps a file with a parked change', async () => {
  const account = await signUp(await startServer());
  const directory = temporaryDirectory();
  const a = await open(onBackend(account, directory));
  await a.execute('INSERT INTO sync_relationships (id, from_entity_id, to_entity_id, relationship_type) VALUES (?, ?, ?, ?)', [
    crypto.randomUUID(), crypto.randomUUID(), crypto.randomUUID(), 'about',
  ]);
  await a.triggerSync();
  assert.equal(a.currentStatus.parkedChanges, 1);
  assert.deepEqual(await a.signOut(), { cleared: false });
  assert.equal((await open(onBackend(account, directory))).currentStatus.parkedChanges, 1);
});

test('keep pushes and keeps the file', async () => {
  const account = await signUp(await startServer());
  const directory = temporaryDirectory();
  const a = await open(onBackend(account, directory));
  const id = crypto.randomUUID();
  await insertEntity(a, id, 'kept');
  assert.deepEqual(await a.signOut({ onSignOut: 'keep' }), { cleared: false });
  const b = await device(account);
  await b.triggerSync();
  assert.equal(await nameOf(b, id), 'kept');
  assert.equal(await nameOf(await open(onBackend(account, directory)), id), 'kept');
});

test('clear deletes the file with what is pending, and only this user’s', async () => {
  const directory = temporaryDirectory();
  const other = await open({ directory, userId: 'two', connector: unreachable });
  await insertEntity(other, 'a');
  const db = await open({ directory, userId: 'one', connector: unreachable });
  await insertEntity(db, 'a');
  const before = files(directory).length;
  assert.deepEqual(await db.signOut({ onSignOut: 'clear', timeoutMs: 0 }), { cleared: true });
  assert.ok(files(directory).length < before);
  assert.equal(other.currentStatus.pendingChanges, 1);
  assert.equal(await count(other), 1);
  const again = await open({ directory, userId: 'one', connector: unreachable });
  assert.deepEqual([again.currentStatus.pendingChanges, await count(again)], [0, 0]);
});

test('a transaction that is open is rolled back, and closing meanwhile waits', async () => {
  const directory = temporaryDirectory();
  const db = await open({ directory });
  const leaving: Promise<{ cleared: boolean }>[] = [];
  await assert.rejects(
    db.writeTransaction(async (tx) => {
      await insertEntity(tx, 'a');
      leaving.push(db.signOut({ onSignOut: 'keep', timeoutMs: 200 }));
      await db.close();
      await insertEntity(tx, 'b');
    }),
    syncError('Closed')
  );
  assert.deepEqual(await Promise.all(leaving), [{ cleared: false }]);
  assert.equal(await count(await open({ directory })), 0);
});
