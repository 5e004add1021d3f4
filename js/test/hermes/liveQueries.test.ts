/** Live queries against the real engine. */
import { assert, test } from '../../../scripts/host/harness';
import type { WatchedQueryDifferential } from '../../index';
import { insertEntity, open, syncError } from './setup';

type Entity = { id: string; name: string };
const all = 'SELECT id, name FROM sync_entities ORDER BY id';
const after = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** Waits until it is so, at most 5 s. */
async function until(what: () => boolean, words: string): Promise<void> {
  for (let waited = 0; !what(); waited += 5) {
    assert.ok(waited < 5000, `never came: ${words}`);
    await after(5);
  }
}

test('a watched query follows writes; rows that did not change are the same objects', async () => {
  const db = await open();
  await insertEntity(db, 'a');
  await insertEntity(db, 'b');
  const query = db.query<Entity>({ sql: all }).watch({ throttleMs: 0 });
  await until(() => !query.state.isLoading, 'the first result');
  const [a, b] = query.state.data;
  assert.deepEqual([a, b], [{ id: 'a', name: 'n' }, { id: 'b', name: 'n' }]);
  await db.execute('UPDATE sync_entities SET name = ? WHERE id = ?', ['other', 'b']);
  await until(() => query.state.data[1]?.name === 'other', 'the update');
  assert.equal(query.state.data[0], a);
  assert.ok(query.state.data[1] !== b);
  const before = query.state.data;
  await insertEntity(db, 'c');
  await until(() => query.state.data.length === 3, 'the insert');
  assert.equal(query.state.data[1], before[1]);
  await query.close();
  await insertEntity(db, 'd');
  await after(60);
  assert.equal(query.state.data.length, 3);
});

test('what changes nothing in the result is not told; nothing comes out of an open transaction', async () => {
  const db = await open();
  await insertEntity(db, 'a');
  const query = db.query<Entity>({ sql: 'SELECT id, name FROM sync_entities WHERE id = ?', parameters: ['a'] }).watch({ throttleMs: 0 });
  await until(() => !query.state.isLoading, 'the first result');
  let told = 0;
  query.registerListener({ onData: () => { told += 1; } });
  await insertEntity(db, 'b');
  await db.writeTransaction(async (tx) => {
    await tx.execute("UPDATE sync_entities SET name = 'inside' WHERE id = 'a'");
    await after(60);
    assert.equal(told, 0);
  });
  await until(() => told === 1, 'the commit');
  await assert.rejects(db.writeTransaction(async (tx) => {
    await tx.execute("UPDATE sync_entities SET name = 'back' WHERE id = 'a'");
    throw new Error('mine');
  }));
  await after(60);
  assert.deepEqual([told, query.state.data], [1, [{ id: 'a', name: 'inside' }]]);
  await query.close();
});

test('differentialWatch says what changed', async () => {
  const db = await open();
  await insertEntity(db, 'a');
  await insertEntity(db, 'b');
  const query = db.query<Entity>({ sql: all }).differentialWatch({ throttleMs: 0 });
  const diffs: WatchedQueryDifferential<Entity>[] = [];
  query.registerListener({ onDiff: (diff) => { diffs.push(diff); } });
  await until(() => diffs.length === 1, 'the first result');
  await db.writeTransaction(async (tx) => {
    await tx.execute("DELETE FROM sync_entities WHERE id = 'a'");
    await tx.execute("UPDATE sync_entities SET name = 'other' WHERE id = 'b'");
    await insertEntity(tx, 'c');
  });
  await until(() => diffs.length === 2, 'the change');
  const [, diff] = diffs;
  assert.deepEqual(
    [diff?.added, diff?.removed, diff?.updated, diff?.unchanged],
    [[{ id: 'c', name: 'n' }], [{ id: 'a', name: 'n' }],
      [{ current: { id: 'b', name: 'other' }, previous: { id: 'b', name: 'n' } }], []]
  );
  await query.close();
});

test('errors of the statement, and new settings', async () => {
  const db = await open();
  await insertEntity(db, 'a');
  const query = db.query<Entity>({ sql: 'SELECT * FROM nowhere' }).watch();
  await until(() => query.state.error !== null, 'the error');
  assert.ok(syncError('Sql', 'nowhere')(query.state.error));
  await query.updateSettings({ query: { compile: () => ({ sql: all, parameters: [] }), execute: () => db.getAll<Entity>(all) } });
  await until(() => query.state.data.length === 1, 'the result');
  assert.equal(query.state.error, null);
  const writes = db.query({ sql: 'DELETE FROM sync_entities' }).watch();
  await until(() => writes.state.error !== null, 'the refusal');
  assert.ok(syncError('ReadOnly')(writes.state.error));
});

test('callbacks and iterators', async () => {
  const db = await open();
  const counts: number[] = [];
  const stop = db.watch(all, [], { onResult: (result) => { counts.push(result.array.length); } }, { throttleMs: 0 });
  await until(() => counts.length === 1, 'the first result');
  await insertEntity(db, 'a');
  await until(() => counts.length === 2, 'the second result');
  stop();
  assert.deepEqual(counts, [0, 1]);

  const seen: number[] = [];
  for await (const result of db.watch(all, [], { throttleMs: 0 })) {
    seen.push(result.array.length);
    if (seen.length === 2) {
      break;
    }
    await insertEntity(db, 'b');
  }
  assert.deepEqual(seen, [1, 2]);
  await assert.rejects(db.watch('SELECT * FROM nowhere').next(), syncError('Sql'));
});

test('onChange and tablesChanged: one call per commit, with the rows if asked for', async () => {
  const db = await open();
  const events: string[][] = [];
  const ids: unknown[] = [];
  const stop = db.onChange({ onChange: ({ changedTables }) => { events.push(changedTables); } }, { throttleMs: 0 });
  db.registerListener({ tablesChanged: (_tables, rowIds) => { ids.push(rowIds); } });
  await db.writeTransaction(async (tx) => {
    await insertEntity(tx, 'a');
    await insertEntity(tx, 'b');
  });
  await until(() => events.length === 1, 'the event');
  assert.deepEqual(events, [['sync_entities']]);
  assert.deepEqual(ids, [{ sync_entities: ['a', 'b'] }]);
  stop();
  await insertEntity(db, 'c');
  await until(() => ids.length === 2, 'the second event');
  assert.equal(events.length, 1);
});

test('a hundred live queries and a burst of commits: all end with the newest, the thread is never held up for long', async () => {
  const db = await open();
  await insertEntity(db, 'a');
  const queries = Array.from({ length: 100 }, (_, n) =>
    db.query<{ name: string }>({ sql: `SELECT name, ${n} AS n FROM sync_entities WHERE id = ?`, parameters: ['a'] }).watch()
  );
  await until(() => queries.every(({ state }) => !state.isLoading), 'the first results');
  let longest = 0;
  let last = Date.now();
  const beat = setInterval(() => {
    longest = Math.max(longest, Date.now() - last);
    last = Date.now();
  }, 1);
  await Promise.all(Array.from({ length: 300 }, (_, n) => db.execute('UPDATE sync_entities SET name = ?', [`n${n}`])));
  await until(() => queries.every(({ state }) => state.data[0]?.name === 'n299'), 'the last results');
  clearInterval(beat);
  console.log(`longest time without a timer: ${longest} ms`);
  await Promise.all(queries.map((query) => query.close()));
});
