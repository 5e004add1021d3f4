/** Write transactions against the real engine. */
import { assert, test } from '../../../scripts/host/harness';
import type { Transaction } from '../../index';
import { insertEntity, open, syncError, temporaryDirectory } from './setup';

const count = 'SELECT count(*) AS n FROM sync_entities';

test('commits what the callback did and answers what it answered', async () => {
  const db = await open();
  const answer = await db.writeTransaction(async (tx) => {
    await insertEntity(tx, 'a');
    await insertEntity(tx, 'b');
    return (await tx.get<{ n: number }>(count)).n;
  });
  assert.equal(answer, 2);
  assert.deepEqual(await db.get(count), { n: 2 });
  assert.equal(db.currentStatus.pendingChanges, 2);
});

test('a throw rolls back and comes out unchanged; nothing is pending', async () => {
  const db = await open();
  const mine = new Error('mine');
  const thrown = await assert.rejects(
    db.writeTransaction(async (tx) => {
      await insertEntity(tx, 'a');
      throw mine;
    })
  );
  assert.equal(thrown, mine);
  assert.deepEqual(await db.get(count), { n: 0 });
  assert.equal(db.currentStatus.pendingChanges, 0);
});

test('an SQL error that is not caught rolls the whole back', async () => {
  const db = await open();
  await assert.rejects(
    db.writeTransaction(async (tx) => {
      await insertEntity(tx, 'a');
      await tx.execute('INSERT INTO nowhere VALUES (1)');
    }),
    syncError('Sql', 'nowhere')
  );
  assert.deepEqual(await db.get(count), { n: 0 });
});

test('transactions do not interleave', async () => {
  const db = await open();
  await insertEntity(db, 'counter');
  await db.execute('UPDATE sync_entities SET rank = 0');
  await Promise.all(
    Array.from({ length: 20 }, () =>
      db.writeTransaction(async (tx) => {
        const { rank } = await tx.get<{ rank: number }>('SELECT rank FROM sync_entities');
        await tx.execute('UPDATE sync_entities SET rank = ?', [rank + 1]);
      })
    )
  );
  assert.deepEqual(await db.get('SELECT rank FROM sync_entities'), { rank: 20 });
});

test('what is not committed is seen inside only, and readers do not wait', async () => {
  const db = await open();
  await db.writeTransaction(async (tx) => {
    await insertEntity(tx, 'a');
    assert.deepEqual(await tx.get(count), { n: 1 });
    assert.deepEqual(await db.get(count), { n: 0 });
  });
  assert.deepEqual(await db.get(count), { n: 1 });
});

test('statements that are not awaited belong to the transaction; after its end there are none', async () => {
  const db = await open();
  let kept: Transaction | undefined;
  await db.writeTransaction((tx) => {
    kept = tx;
    void insertEntity(tx, 'a');
    void insertEntity(tx, 'b');
  });
  assert.deepEqual(await db.get(count), { n: 2 });
  assert.ok(kept);
  await assert.rejects(kept.execute('DELETE FROM sync_entities'), syncError('TransactionEnded'));
  await assert.rejects(kept.getAll(count), syncError('TransactionEnded'));
  assert.deepEqual(await db.get(count), { n: 2 });
});

test('closing in the middle rolls back', async () => {
  const directory = temporaryDirectory();
  const db = await open({ directory });
  await assert.rejects(
    db.writeTransaction(async (tx) => {
      await insertEntity(tx, 'a');
      await db.close();
      await insertEntity(tx, 'b');
    }),
    syncError('Closed')
  );
  const again = await open({ directory });
  assert.deepEqual(await again.get(count), { n: 0 });
});
