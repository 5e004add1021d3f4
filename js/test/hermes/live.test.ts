/** Live queries through the native module itself: events, what is taken, what stays quiet. */
import { assert, cleanup, test } from '../../../scripts/host/harness';
import native from '../../NativeOmniiSync';
import type { NativeResult } from '../../types';
import { schema, temporaryDirectory } from './setup';

type Change = { rows: Record<string, unknown>[]; kept: number[] | null };
type Event = { watchId: number; error: string };

/** An open database, by its id. */
async function openNative(): Promise<number> {
  const options = { schema: schema.toJSON(), userId: 'user-1', directory: temporaryDirectory(), sync: {} };
  const id = await native.open(JSON.stringify(options));
  cleanup(() => native.close(id));
  return id;
}

/** The events of a database's watches. */
function listen(databaseId: number) {
  const events: Event[] = [];
  let wake: () => void = () => undefined;
  const subscription = native.onWatchChanged((event) => {
    if (event.databaseId === databaseId) {
      events.push(event);
      wake();
    }
  });
  cleanup(() => {
    subscription.remove();
  });
  return {
    events,
    next: async (): Promise<Event> => {
      for (;;) {
        const event = events.shift();
        if (event !== undefined) {
          return event;
        }
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
    },
  };
}

const watch = (id: number, sql: string, params: unknown[] = [], throttleMs = 0, tables: string[] | null = null) =>
  native.watch(id, sql, params, JSON.stringify({ throttleMs, tables }));

const run = (id: number, sql: string, params: unknown[] = []) => native.execute(id, 0, sql, params) as Promise<NativeResult>;

const insert = (id: number, row: string, name = 'n') =>
  run(id, 'INSERT INTO sync_entities (id, entity_type, name) VALUES (?, ?, ?)', [row, 'task', name]);

/** Applies what was taken to the result before. */
function applied(before: Record<string, unknown>[], taken: object | null): Record<string, unknown>[] {
  if (taken === null) {
    return before;
  }
  const { rows, kept } = taken as Change;
  let next = 0;
  return kept === null ? rows : kept.map((from) => (from < 0 ? rows[next++] : before[from]) ?? {});
}

test('a watch announces its first result and each that differs, and hands over only what is new', async () => {
  const id = await openNative();
  await insert(id, 'a');
  const { next, events } = listen(id);
  const watchId = await watch(id, 'SELECT id, name FROM sync_entities ORDER BY id');
  assert.deepEqual(await next(), { databaseId: id, watchId, error: '' });
  assert.deepEqual(native.takeWatched(id, watchId), { rows: [{ id: 'a', name: 'n' }], kept: null });
  assert.equal(native.takeWatched(id, watchId), null);
  await insert(id, 'b', 'ä');
  await next();
  assert.deepEqual(native.takeWatched(id, watchId), { rows: [{ id: 'b', name: 'ä' }], kept: [0, -1] });
  await run(id, 'DELETE FROM sync_entities WHERE id = ?', ['a']);
  await next();
  assert.deepEqual(native.takeWatched(id, watchId), { rows: [], kept: [1] });
  // nothing that the query shows changes: the next event is the one after
  await run(id, 'UPDATE sync_entities SET rank = 5');
  await run(id, "INSERT INTO sync_relationships (id, from_entity_id, to_entity_id, relationship_type) VALUES ('r', 'a', 'b', 'x')");
  await run(id, "UPDATE sync_entities SET name = 'c'");
  await next();
  assert.deepEqual(native.takeWatched(id, watchId), { rows: [{ id: 'b', name: 'c' }], kept: [-1] });
  native.unwatch(id, watchId);
  await insert(id, 'z');
  await native.query(id, 'SELECT 1', []);
  assert.deepEqual(events, []);
  assert.equal(native.takeWatched(id, watchId), null);
});

test('what can not be watched is refused; a failing run is told, and the watch goes on', async () => {
  const id = await openNative();
  const code = (wanted: string) => (thrown: unknown) => (thrown as { code: string }).code === wanted;
  await assert.rejects(watch(id, 'SELECT * FROM nothing'), code('Sql'));
  await assert.rejects(watch(id, 'DELETE FROM sync_entities'), code('ReadOnly'));
  await assert.rejects(watch(id, 'SELECT ?'), code('BadArgument'));
  await assert.rejects(native.watch(id, 'SELECT 1', [], '{}'), code('BadArgument'));
  const { next } = listen(id);
  await insert(id, 'a', '{"x":1}');
  const watchId = await watch(id, "SELECT json_extract(name, '$.x') AS x FROM sync_entities");
  assert.equal((await next()).error, '');
  native.takeWatched(id, watchId);
  await run(id, "UPDATE sync_entities SET name = 'broken'");
  const failed = JSON.parse((await next()).error) as { code: string; retryable: boolean };
  assert.equal(failed.code, 'Sql');
  assert.equal(failed.retryable, false);
  await run(id, `UPDATE sync_entities SET name = '{"x":1}'`);
  assert.equal((await next()).error, '');
  assert.deepEqual(native.takeWatched(id, watchId), { rows: [], kept: [0] });
});

test('after a thousand writes in a burst every watch shows the last state', async () => {
  const id = await openNative();
  const shown = new Map<number, Record<string, unknown>[]>();
  let heard = 0;
  const subscription = native.onWatchChanged((event) => {
    heard += 1;
    shown.set(event.watchId, applied(shown.get(event.watchId) ?? [], native.takeWatched(id, event.watchId)));
  });
  cleanup(() => {
    subscription.remove();
  });
  const point: number[] = [];
  for (let i = 0; i < 50; i++) {
    point.push(await watch(id, 'SELECT name FROM sync_entities WHERE id = ?', [`r${i}`], 0));
  }
  const all = await watch(id, 'SELECT id, name FROM sync_entities ORDER BY name', [], 30);
  const writes: Promise<unknown>[] = [];
  for (let i = 0; i < 1000; i++) {
    const name = `n${(i * 7919) % 1000}`;
    writes.push(run(id, `INSERT INTO sync_entities (id, entity_type, name) VALUES (?, 't', ?)
      ON CONFLICT (id) DO UPDATE SET name = excluded.name`, [`r${i % 100}`, name]));
  }
  await Promise.all(writes);
  const expected = ((await native.query(id, 'SELECT id, name FROM sync_entities ORDER BY name', [])) as NativeResult).rows;
  const until = Date.now() + 5000;
  const settled = () =>
    JSON.stringify(shown.get(all)) === JSON.stringify(expected) &&
    point.every((watchId, i) => shown.get(watchId)?.[0]?.['name'] === (expected as { id: string; name: string }[]).find((r) => r.id === `r${i}`)?.name);
  while (!settled() && Date.now() < until) {
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  assert.ok(settled(), 'a watch does not show the last state');
  console.log(`events for 1,000 commits and 51 watches: ${heard}`);
});

test('table events name the rows, and only when they are wanted', async () => {
  const id = await openNative();
  const events: { tables: readonly string[]; rowIds: string }[] = [];
  const subscription = native.onTablesChanged(({ tables, rowIds }) => {
    events.push({ tables, rowIds });
  });
  cleanup(() => {
    subscription.remove();
  });
  await insert(id, 'a');
  native.setTableEvents(id, true);
  await insert(id, 'b');
  assert.deepEqual(events, [{ tables: ['sync_entities'], rowIds: '{"sync_entities":["b"]}' }]);
  native.setTableEvents(id, false);
  await insert(id, 'c');
  assert.equal(events.length, 1);
});

const median = (times: number[]): string => {
  const sorted = [...times].sort((a, b) => a - b);
  return `${(sorted[Math.floor(sorted.length / 2)] ?? 0).toFixed(3)} ms`;
};

test('measured, for whoever reads the output', async () => {
  const id = await openNative();
  const fill = `WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20000)
    INSERT INTO sync_entities (id, entity_type, name, rank) SELECT 'r' || i, 't' || (i % 10), 'name ' || i, i FROM n`;
  await run(id, fill);
  const measure = async (sql: string, params: unknown[], write: (i: number) => Promise<unknown>) => {
    const { next } = listen(id);
    const watchId = await watch(id, sql, params, 0);
    await next();
    native.takeWatched(id, watchId);
    const fromCall: number[] = [];
    const fromAnswer: number[] = [];
    for (let i = 0; i < 200; i++) {
      const began = performance.now();
      let answered = 0;
      const written = write(i).then(() => {
        answered = performance.now();
      });
      await next();
      const taken = native.takeWatched(id, watchId);
      const now = performance.now();
      assert.ok(taken !== null);
      await written;
      fromCall.push(now - began);
      fromAnswer.push(Math.max(0, now - answered));
    }
    native.unwatch(id, watchId);
    return `${median(fromCall)} from the call of execute, ${median(fromAnswer)} from its answer`;
  };
  const rename = (i: number) => run(id, 'UPDATE sync_entities SET name = ? WHERE id = ?', [`x${i}`, 'r19993']);
  console.log('point:', await measure('SELECT * FROM sync_entities WHERE id = ?', ['r19993'], rename));
  console.log('list of 50:', await measure('SELECT * FROM sync_entities WHERE entity_type = ? ORDER BY rank DESC LIMIT 50', ['t3'], rename));
  const writes = async (count: number): Promise<string> => {
    const times: number[] = [];
    for (let i = 0; i < count; i++) {
      const began = performance.now();
      await run(id, 'UPDATE sync_entities SET name = ? WHERE id = ?', [`y${i}`, `r${1000 + i}`]);
      times.push(performance.now() - began);
    }
    return median(times);
  };
  await writes(100);
  console.log('a write, nobody listening:', await writes(300));
  for (let i = 0; i < 100; i++) {
    await watch(id, 'SELECT * FROM sync_entities WHERE id = ?', [`r${i}`], 30);
  }
  console.log('a write, 100 lookups of other rows:', await writes(300));
  native.setTableEvents(id, true);
  console.log('the same with table events:', await writes(300));
});
