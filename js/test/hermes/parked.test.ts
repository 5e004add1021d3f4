/** Changes that the backend refuses without saying so: parked, listed, retried after mending, discarded. */
import { assert, cleanup, test } from '../../../scripts/host/harness';
import { type Database, supabaseConnector } from '../../index';
import { type Account, device, nameOf, quiet, schema, signUp, startServer } from './backend';
import { insertEntity, open, syncError, temporaryDirectory } from './setup';

const link = (db: Database, id: string, from: string, to: string) =>
  db.execute('INSERT INTO sync_relationships (id, from_entity_id, to_entity_id, relationship_type) VALUES (?, ?, ?, ?)', [id, from, to, 'about']);

const typeOf = async (db: Database, id: string): Promise<string | undefined> =>
  (await db.getOptional<{ entity_type: string }>('SELECT entity_type FROM sync_entities WHERE id = ?', [id]))?.entity_type;

/** A synced entity whose type was then set to one that the backend swallows. */
async function withRefusedUpdate(account: Account): Promise<{ db: Database; id: string }> {
  const db = await device(account);
  const id = crypto.randomUUID();
  await insertEntity(db, id, 'kept');
  await db.triggerSync();
  await db.execute('UPDATE sync_entities SET entity_type = ? WHERE id = ?', ['spaceship', id]);
  await db.triggerSync();
  return { db, id };
}

test('a refused insert is listed with what it wanted, and goes through once what it lacked is there', async () => {
  const account = await signUp(await startServer());
  const [a, b] = [await device(account), await device(account)];
  const [from, to, edge] = [crypto.randomUUID(), crypto.randomUUID(), crypto.randomUUID()];
  await insertEntity(a, from);
  await link(a, edge, from, to); // the backend does not have `to`, and swallows the row
  await a.triggerSync();
  assert.deepEqual([a.currentStatus.pendingChanges, a.currentStatus.parkedChanges], [0, 1]);
  const [parked, ...others] = await a.getParkedChanges();
  assert.ok(parked);
  assert.deepEqual(others, []);
  const { id, transactionId, reason, columns, ...rest } = parked;
  assert.deepEqual(rest, { table: 'sync_relationships', rowId: edge, operation: 'insert' });
  assert.ok(Number.isSafeInteger(id) && Number.isSafeInteger(transactionId));
  assert.ok(reason !== '');
  assert.equal(columns?.['to_entity_id'], to);

  await insertEntity(a, to);
  await a.triggerSync();
  assert.equal(a.currentStatus.parkedChanges, 1, 'not retried by itself');
  assert.equal(await a.retryParked([id + 1000]), 0);
  assert.equal(await a.retryParked([id]), 1);
  assert.deepEqual([a.currentStatus.pendingChanges, a.currentStatus.parkedChanges], [1, 0]);
  await a.triggerSync();
  assert.deepEqual([a.currentStatus.pendingChanges, a.currentStatus.parkedChanges], [0, 0]);
  assert.deepEqual(await a.getParkedChanges(), []);
  await b.triggerSync();
  assert.deepEqual(await b.getAll('SELECT id FROM sync_relationships'), [{ id: edge }]);
});

test('discarding a refused update brings the backend’s version back, and tells so', async () => {
  const { db, id } = await withRefusedUpdate(await signUp(await startServer()));
  assert.equal(db.currentStatus.parkedChanges, 1);
  assert.equal(await typeOf(db, id), 'spaceship', 'until then it shows');
  assert.deepEqual((await db.getParkedChanges())[0]?.columns, { entity_type: 'spaceship' });
  const tables: string[] = [];
  cleanup(db.registerListener({ tablesChanged: (changed) => tables.push(...changed) }));
  assert.equal(await db.discardParked(), 1);
  assert.deepEqual([await typeOf(db, id), await nameOf(db, id)], ['task', 'kept']);
  assert.deepEqual(tables, ['sync_entities']);
  assert.deepEqual([db.currentStatus.parkedChanges, db.currentStatus.pendingChanges], [0, 0]);
  assert.equal(await db.discardParked(), 0);
  await db.triggerSync();
  assert.equal(await typeOf(db, id), 'task');
});

test('discarding a refused insert takes the row away', async () => {
  const account = await signUp(await startServer());
  const a = await device(account);
  const edge = crypto.randomUUID();
  await link(a, edge, crypto.randomUUID(), crypto.randomUUID());
  await a.triggerSync();
  const ids = (await a.getParkedChanges()).map(({ id }) => id);
  assert.equal(await a.discardParked(ids), 1);
  assert.deepEqual(await a.getAll('SELECT id FROM sync_relationships'), []);
  assert.equal(a.currentStatus.parkedChanges, 0);
});

test('retried without mending it is parked again; parked changes outlive the app', async () => {
  const account = await signUp(await startServer());
  const directory = temporaryDirectory();
  const connector = supabaseConnector(account.supabase, { baseUrl: account.baseUrl });
  const options = { schema, userId: account.userId, directory, sync: quiet, connector };
  const first = await open(options);
  const edge = crypto.randomUUID();
  await link(first, edge, crypto.randomUUID(), crypto.randomUUID());
  await first.triggerSync();
  assert.equal(await first.retryParked(), 1);
  await first.triggerSync();
  assert.equal(first.currentStatus.parkedChanges, 1);
  const before = await first.getParkedChanges();
  await first.close();
  await assert.rejects(first.getParkedChanges(), syncError('Closed'));
  const again = await open(options);
  assert.equal(again.currentStatus.parkedChanges, 1);
  assert.deepEqual(await again.getParkedChanges(), before);
});
