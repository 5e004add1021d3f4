/** Watches, table events, pending changes. */
import { type Case, note, until } from './cases';

type Rows = readonly { readonly id: string }[];

export const live: readonly Case[] = [
  {
    name: 'a watch tells the first result, each change, and nothing else',
    run: async (db, assert) => {
      const seen: string[] = [];
      db.watch('SELECT id FROM notes ORDER BY id', [], { onResult: (result) => { seen.push((result.array as unknown as Rows).map((r) => r.id).join()); } }, { throttleMs: 0 });
      await until(() => seen.length === 1, 'the first result');
      await note(db, 'a');
      await until(() => seen.length === 2, 'the second result');
      await db.execute("INSERT INTO tags (id) VALUES ('t')");
      await db.writeTransaction(async (tx) => { await note(tx, 'b'); await note(tx, 'c'); });
      await until(() => seen.length === 3, 'the third result');
      assert.deepEqual(seen, ['', 'a', 'a,b,c']);
    },
  },
  {
    name: 'rows that have not changed are the same objects',
    run: async (db, assert) => {
      await note(db, 'a', 'A');
      await note(db, 'b', 'B');
      const results: (readonly unknown[])[] = [];
      const query = db.query({ sql: 'SELECT id, title FROM notes ORDER BY id' }).watch({ throttleMs: 0 });
      query.registerListener({ onData: (data) => { results.push(data); } });
      await until(() => results.at(-1)?.length === 2, 'both rows');
      const before = results.at(-1) ?? [];
      await db.execute("UPDATE notes SET title = 'changed' WHERE id = 'b'");
      await until(() => (results.at(-1)?.[1] as { title: string }).title === 'changed', 'the change');
      assert.ok(results.at(-1)?.[0] === before[0], 'row a is the same object');
      assert.deepEqual(results.at(-1)?.[1], { id: 'b', title: 'changed' });
      await query.close();
    },
  },
  {
    name: 'a commit tells its tables and row ids once',
    run: async (db, assert) => {
      const events: string[] = [];
      db.registerListener({ tablesChanged: (tables, rowIds) => { events.push(JSON.stringify([[...tables].sort(), rowIds])); } });
      await db.writeTransaction(async (tx) => {
        await note(tx, 'a');
        await tx.execute("INSERT INTO tags (id, note_id) VALUES ('t', 'a')");
      });
      await until(() => events.length > 0, 'the event');
      await db.execute('UPDATE notes SET rank = 1 WHERE 0');
      assert.deepEqual(events, [JSON.stringify([['notes', 'tags'], { notes: ['a'], tags: ['t'] }])]);
    },
  },
  {
    name: 'pending changes by transaction, completed by the app',
    run: async (db, assert) => {
      await db.writeTransaction(async (tx) => { await note(tx, 'a', 'A', 1); await note(tx, 'b', 'B', 2); });
      await db.execute("UPDATE notes SET title = 'A2', rank = 1 WHERE id = 'a'");
      await db.execute("UPDATE notes SET rank = NULL WHERE id = 'a'");
      await db.execute("DELETE FROM notes WHERE id = 'b'");
      assert.equal(db.currentStatus.pendingChanges, 5);
      assert.equal((await db.getUploadQueueStats()).count, 5);
      const first = await db.getNextCrudTransaction();
      assert.deepEqual(first?.crud.map(({ op, table, id, opData }) => [op, table, id, opData]), [
        ['PUT', 'notes', 'a', { title: 'A', rank: 1 }],
        ['PUT', 'notes', 'b', { title: 'B', rank: 2 }],
      ]);
      await first?.complete();
      assert.equal(db.currentStatus.pendingChanges, 3);
      const batch = await db.getCrudBatch(1);
      assert.deepEqual([batch?.haveMore, batch?.crud.map(({ op, opData }) => [op, opData])], [true, [['PATCH', { title: 'A2' }]]]);
      await batch?.complete();
      assert.deepEqual((await db.getCrudBatch())?.crud.map(({ op, id, opData }) => [op, id, opData]), [['PATCH', 'a', { rank: null }], ['DELETE', 'b', undefined]]);
    },
  },
  {
    name: 'replacing a row is one insert',
    run: async (db, assert) => {
      await note(db, 'a', 'A');
      await (await db.getNextCrudTransaction())?.complete();
      await db.execute("INSERT OR REPLACE INTO notes (id, title) VALUES ('a', 'B')");
      assert.deepEqual((await db.getCrudBatch())?.crud.map(({ op, id }) => [op, id]), [['PUT', 'a']]);
      assert.equal((await db.getCrudBatch())?.crud[0]?.opData?.['title'], 'B');
    },
  },
];
