/** Rows that were deleted on the backend: a sync does not learn of them, reconcile does. */
import { assert, cleanup, test } from '../../../scripts/host/harness';
import { getConnector, reconcile } from '../../index';
import { device, nameOf, signUp, startServer } from './backend';
import { insertEntity, open, syncError, unreachable } from './setup';

test('a row that another device deleted disappears with reconcile, the others stay, and it is told', async () => {
  const account = await signUp(await startServer());
  const [a, b] = [await device(account), await device(account)];
  const [kept, gone] = [crypto.randomUUID(), crypto.randomUUID()];
  await insertEntity(a, kept, 'kept');
  await insertEntity(a, gone, 'gone');
  await a.triggerSync();
  await b.triggerSync();
  await b.execute('DELETE FROM sync_entities WHERE id = ?', [gone]);
  await b.triggerSync();

  await a.triggerSync();
  assert.equal(await nameOf(a, gone), 'gone', 'the backend does not tell of deletes');
  const tables: string[] = [];
  cleanup(a.registerListener({ tablesChanged: (changed) => tables.push(...changed) }));
  const before = new Date();
  await a.reconcile();
  assert.deepEqual([await nameOf(a, kept), await nameOf(a, gone)], ['kept', undefined]);
  assert.deepEqual(tables, ['sync_entities']);
  const { lastReconciledAt, pendingChanges } = a.currentStatus;
  assert.ok(lastReconciledAt !== null && lastReconciledAt >= before);
  assert.equal(pendingChanges, 0, 'the disappearance is no change of ours');
  await b.reconcile();
  assert.deepEqual([await nameOf(b, kept), await nameOf(b, gone)], ['kept', undefined], 'and does not go up');
});

test('the first complete download counts as one, and the next round is none', async () => {
  const account = await signUp(await startServer());
  const [a, b] = [await device(account), await device(account)];
  await insertEntity(b, crypto.randomUUID());
  await b.triggerSync();
  const sweptAt = (): Date | null => a.currentStatus.lastReconciledAt;
  assert.equal(sweptAt(), null);
  await a.triggerSync();
  const first = sweptAt();
  assert.ok(first instanceof Date);
  await a.triggerSync();
  assert.equal(sweptAt()?.getTime(), first.getTime());
});

test('what can not be complete removes nothing and rejects', async () => {
  const db = await open({ connector: unreachable });
  await insertEntity(db, 'a');
  await assert.rejects(db.reconcile(), syncError('Network'));
  assert.equal((await db.get<{ n: number }>('SELECT count(*) AS n FROM sync_entities')).n, 1);
  await assert.rejects(reconcile(), syncError('Network'));
  assert.ok(getConnector());
});
