/** Transactions and locks. */
import { type Case, codeOf, note } from './cases';

const ids = (rows: readonly unknown[]): unknown[] => rows.map((row) => (row as { id: string }).id);

export const transactions: readonly Case[] = [
  {
    name: 'a transaction commits; what it throws is rethrown and takes everything back',
    run: async (db, assert) => {
      assert.equal(await db.writeTransaction(async (tx) => { await note(tx, 'a'); return (await tx.getAll('SELECT 1 FROM notes')).length; }), 1);
      const mine = new Error('mine');
      const thrown = await db.writeTransaction(async (tx) => { await note(tx, 'b'); throw mine; }).catch((e: unknown) => e);
      assert.equal(thrown, mine);
      assert.deepEqual(ids(await db.getAll('SELECT id FROM notes')), ['a']);
      assert.equal(db.currentStatus.pendingChanges, 1);
    },
  },
  {
    name: 'nobody outside sees an open transaction',
    run: async (db, assert) => {
      await note(db, 'a');
      await db.writeTransaction(async (tx) => {
        await note(tx, 'b');
        assert.deepEqual(ids(await db.getAll('SELECT id FROM notes ORDER BY id')), ['a']);
        assert.deepEqual(ids(await tx.getAll('SELECT id FROM notes ORDER BY id')), ['a', 'b']);
      });
      assert.deepEqual(ids(await db.getAll('SELECT id FROM notes ORDER BY id')), ['a', 'b']);
    },
  },
  {
    name: 'a failed statement leaves the transaction open; savepoints work inside',
    run: async (db, assert) => {
      await db.writeTransaction(async (tx) => {
        await note(tx, 'a');
        assert.equal(await codeOf(() => note(tx, 'a')), 'Constraint');
        await tx.execute('SAVEPOINT s');
        await note(tx, 'b');
        await tx.execute('ROLLBACK TO s');
        await tx.execute('RELEASE s');
        await note(tx, 'c');
      });
      assert.deepEqual(ids(await db.getAll('SELECT id FROM notes ORDER BY id')), ['a', 'c']);
      assert.equal(db.currentStatus.pendingChanges, 2);
    },
  },
  {
    name: 'a read transaction sees one state and can not write',
    run: async (db, assert) => {
      await note(db, 'a');
      await db.readTransaction(async (tx) => {
        assert.deepEqual(ids(await tx.getAll('SELECT id FROM notes')), ['a']);
        await note(db, 'b');
        assert.deepEqual(ids(await tx.getAll('SELECT id FROM notes')), ['a']);
        assert.equal(await codeOf(() => note(tx, 'c')), 'ReadOnly');
      });
      await db.readLock(async (lock) => {
        await note(db, 'c');
        assert.equal((await lock.getAll('SELECT 1 FROM notes')).length, 3);
      });
    },
  },
  {
    name: 'in a write lock each statement commits by itself',
    run: async (db, assert) => {
      await db.writeLock(async (lock) => {
        await note(lock, 'a');
        assert.deepEqual(ids(await db.getAll('SELECT id FROM notes')), ['a']);
        assert.equal(await codeOf(() => note(lock, 'a')), 'Constraint');
        await lock.executeBatch('INSERT INTO tags (id) VALUES (?)', [['t'], ['u']]);
      });
      assert.equal((await db.getAll('SELECT 1 FROM tags')).length, 2);
    },
  },
  {
    name: 'a transaction that has ended says so; writes wait for one that is open',
    run: async (db, assert) => {
      let kept: Parameters<Parameters<typeof db.writeTransaction>[0]>[0] | undefined;
      let later: Promise<unknown> | undefined;
      await db.writeTransaction(async (tx) => {
        kept = tx;
        later = note(db, 'z');
        await note(tx, 'a');
        await tx.executeBatch('INSERT INTO tags (id) VALUES (?)', [['t']]);
      });
      await later;
      assert.equal(await codeOf(() => (kept as NonNullable<typeof kept>).getAll('SELECT 1')), 'TransactionEnded');
      assert.deepEqual(ids(await db.getAll('SELECT id FROM notes ORDER BY rowid')), ['a', 'z']);
    },
  },
];
