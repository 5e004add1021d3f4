/** Transactions and locks of all kinds against the real engine: isolation, nested use, time limits. */
import { assert, test } from '../../../scripts/host/harness';
import type { Transaction } from '../../index';
import { insertEntity, open, syncError } from './setup';

const count = 'SELECT count(*) AS n FROM sync_entities';
const after = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

test('a read transaction sees one state, whatever is written meanwhile, and keeps nobody waiting', async () => {
  const db = await open();
  await insertEntity(db, 'a');
  await db.readTransaction(async (tx) => {
    assert.deepEqual(await tx.get(count), { n: 1 });
    await insertEntity(db, 'b');
    assert.deepEqual(await tx.get(count), { n: 1 });
    assert.deepEqual(await db.get(count), { n: 2 });
    await assert.rejects(insertEntity(tx, 'c'), syncError('ReadOnly'));
  });
  await db.readLock(async (lock) => {
    assert.deepEqual(await lock.get(count), { n: 2 });
    await insertEntity(db, 'c');
    assert.deepEqual(await lock.get(count), { n: 3 });
    await assert.rejects(lock.execute('DELETE FROM sync_entities'), syncError('ReadOnly'));
  });
});

test('a write lock keeps the writer; what it has written stays when its callback throws', async () => {
  const db = await open();
  const mine = new Error('mine');
  let outside: Promise<unknown> | undefined;
  const seen: string[] = [];
  const thrown = await assert.rejects(
    db.writeLock(async (lock) => {
      await insertEntity(lock, 'a');
      outside = insertEntity(db, 'b').then(() => seen.push('outside'));
      assert.deepEqual(await db.get(count), { n: 1 });
      await insertEntity(lock, 'c');
      seen.push('inside');
      throw mine;
    })
  );
  assert.equal(thrown, mine);
  await outside;
  assert.deepEqual(seen, ['inside', 'outside']);
  assert.deepEqual(await db.get(count), { n: 3 });
});

test('nested use is NestedTransaction within a second and leaves nothing behind', async () => {
  const db = await open();
  const nested: ((tx: Transaction) => Promise<unknown>)[] = [
    () => insertEntity(db, 'x'),
    async (tx) => { await insertEntity(tx, 'y'); await insertEntity(db, 'x'); },
    async (tx) => { await tx.getAll(count); await db.writeTransaction((inner) => insertEntity(inner, 'x')); },
    () => db.executeBatch('INSERT INTO sync_entities (id, entity_type, name) VALUES (?, ?, ?)', [['x', 't', 'n']]),
    () => db.getParkedChanges(),
    () => db.triggerSync(),
  ];
  for (const callback of nested) {
    const since = Date.now();
    await assert.rejects(db.writeTransaction(callback), syncError('NestedTransaction', 'tx.execute'));
    assert.ok(Date.now() - since < 1000, `${Date.now() - since} ms`);
  }
  await after(50);
  assert.deepEqual(await db.get(count), { n: 0 });
  await insertEntity(db, 'z');
  assert.deepEqual(await db.get(count), { n: 1 });
});

test('calls that nobody waits for inside the callback run after it, in their order', async () => {
  const db = await open();
  const late: Promise<unknown>[] = [];
  await db.writeTransaction(async (tx) => {
    late.push(insertEntity(db, 'b'), db.writeTransaction((other) => insertEntity(other, 'c')), insertEntity(db, 'd'));
    await insertEntity(tx, 'a');
  });
  await Promise.all(late);
  const rows = await db.getAll<{ id: string }>('SELECT id FROM sync_entities ORDER BY rowid');
  assert.deepEqual(rows.map(({ id }) => id), ['a', 'b', 'c', 'd']);
});

test('a hundred transactions and a hundred statements at once: nothing is lost, nobody is Busy', async () => {
  const db = await open();
  await insertEntity(db, 'counter');
  await db.execute('UPDATE sync_entities SET rank = 0');
  const add = 'UPDATE sync_entities SET rank = rank + 1';
  await Promise.all(
    Array.from({ length: 100 }, (_, n): Promise<unknown>[] => [
      db.execute(add),
      db.writeTransaction(async (tx) => {
        const { rank } = await tx.get<{ rank: number }>('SELECT rank FROM sync_entities');
        await tx.execute('UPDATE sync_entities SET rank = ?', [rank + 1]);
      }),
      n % 10 === 0 ? db.writeLock((lock) => lock.execute(add)) : Promise.resolve(),
    ]).flat()
  );
  assert.deepEqual(await db.get('SELECT rank FROM sync_entities'), { rank: 210 });
});

test('lockTimeout is Busy, and what begins late is rolled back', async () => {
  const db = await open();
  let end = (): void => undefined;
  const long = db.writeTransaction(async (tx) => {
    await insertEntity(tx, 'a');
    await new Promise<void>((resolve) => { end = resolve; });
  });
  await assert.rejects(db.writeTransaction(() => { throw new Error('ran'); }, 30), syncError('Busy', '30 ms'));
  end();
  await long;
  await insertEntity(db, 'b');
  assert.deepEqual(await db.get(count), { n: 2 });
});

test('commit and rollback inside the callback', async () => {
  const db = await open();
  await db.writeTransaction(async (tx) => {
    await insertEntity(tx, 'a');
    await tx.commit();
    await insertEntity(db, 'b');
    await assert.rejects(insertEntity(tx, 'c'), syncError('TransactionEnded'));
  });
  await db.writeTransaction(async (tx) => {
    await insertEntity(tx, 'd');
    await tx.rollback();
  });
  assert.deepEqual(await db.get(count), { n: 2 });
});

test('more reading transactions at once than there are connections: each gets its turn; nested ones end with an error', async () => {
  const db = await open();
  const answers = await Promise.all(
    Array.from({ length: 20 }, () => db.readTransaction(async (tx) => { await after(1); return tx.get(count); }))
  );
  assert.equal(answers.length, 20);
  const nest = () => db.readTransaction(async (tx) => {
    await tx.get(count);
    return db.readTransaction((inner) => inner.get(count));
  });
  const outcomes = await Promise.allSettled(Array.from({ length: 20 }, nest));
  const reasons = outcomes.flatMap((outcome) => (outcome.status === 'rejected' ? [outcome.reason as unknown] : []));
  assert.ok(reasons.length > 0 && reasons.every(syncError('NestedTransaction')), `${reasons.length} of 20 rejected`);
  assert.deepEqual(await nest(), { n: 0 });
});
