/** Uploads by the app, through the native module alone: what `Database` builds on. No backend: pushing needs none here. */
import { assert, cleanup, test } from '../../../scripts/host/harness';
import { column, Schema, Table } from '../../index';
import native from '../../NativeOmniiSync';
import type { NativeCrud, NativeStatus } from '../../types';
import { schema, temporaryDirectory } from './setup';

async function openNative(customUpload: boolean, tables: Schema = schema): Promise<number> {
  const options = { schema: tables.toJSON(), userId: 'user-1', directory: temporaryDirectory(), filename: null, sync: {}, customUpload };
  const id = await native.open(JSON.stringify(options));
  cleanup(() => native.close(id));
  return id;
}

const insert = (id: number, ...rows: string[]) =>
  native.execute(
    id,
    0,
    `INSERT INTO sync_entities (id, entity_type, name) VALUES ${rows.map(() => "(?, 'task', 'n')").join(', ')}`,
    rows
  );
const crud = async (id: number, options = { after: null as number | null, transactions: 0, entries: 100 }) =>
  JSON.parse(await native.getCrud(id, JSON.stringify(options))) as NativeCrud;
function lastOf<T>(list: readonly T[]): T {
  const last = list.at(-1);
  assert.ok(last !== undefined, 'an empty list');
  return last;
}
const status = (id: number) => JSON.parse(native.getStatus(id)) as NativeStatus;

const failsWith =
  (code: string, ...words: string[]) =>
  (thrown: unknown): boolean => {
    const error = thrown as Error & { code?: unknown; retryable?: unknown };
    assert.equal(error.code, code, error.message);
    for (const word of words) {
      assert.ok(error.message.includes(word), `"${error.message}" does not say "${word}"`);
    }
    return true;
  };

test('pending changes are listed, counted, completed and cleared', async () => {
  const id = await openNative(true);
  await insert(id, 'a');
  await insert(id, 'b', 'c');
  await native.execute(id, 0, "UPDATE sync_entities SET rank = 9007199254740991 WHERE id = 'a'", []);
  await native.execute(id, 0, "DELETE FROM sync_entities WHERE id = 'c'", []);
  const { entries, hasMore } = await crud(id);
  assert.deepEqual(
    entries.map(({ op, rowId, transaction, data }) => [op, rowId, transaction, data]),
    [
      ['PUT', 'a', 1, { entity_type: 'task', name: 'n' }],
      ['PUT', 'b', 2, { entity_type: 'task', name: 'n' }],
      ['PUT', 'c', 2, { entity_type: 'task', name: 'n' }],
      ['PATCH', 'a', 3, { rank: 9007199254740991 }],
      ['DELETE', 'c', 4, null],
    ]
  );
  assert.equal(hasMore, false);
  assert.ok(entries.every((e) => e.table === 'sync_entities' && e.previous === null && e.metadata === null));
  const first = await crud(id, { after: null, transactions: 1, entries: 1 });
  assert.deepEqual([first.entries.length, first.hasMore], [1, true]);
  const after = await crud(id, { after: lastOf(first.entries).id, transactions: 1, entries: 1 });
  assert.deepEqual(after.entries.map((e) => e.rowId), ['b', 'c']);

  assert.deepEqual(JSON.parse(await native.getUploadQueueStats(id, false)), { count: 5, size: null });
  const { size } = JSON.parse(await native.getUploadQueueStats(id, true)) as { size: number };
  assert.ok(size > 100 && size < 1000, String(size));

  await native.completeCrud(id, lastOf(after.entries).id);
  assert.equal(status(id).pendingChanges, 2);
  const result = (await native.query(id, 'SELECT id, rank FROM sync_entities ORDER BY id', [])) as { rows: unknown };
  assert.deepEqual(result.rows, [{ id: 'a', rank: 9007199254740991 }, { id: 'b', rank: null }]);

  await native.clear(id, false);
  assert.deepEqual([status(id).pendingChanges, status(id).hasSynced], [0, false]);
  assert.deepEqual(await crud(id), { entries: [], hasMore: false });
  const left = (await native.query(id, 'SELECT count(*) AS n FROM sync_entities', [])) as { rows: unknown };
  assert.deepEqual(left.rows, [{ n: 0 }]);
});

test('the client id is a UUID of the file', async () => {
  const [one, two] = [await openNative(false), await openNative(false)];
  const id = await native.getClientId(one);
  assert.ok(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/.test(id), id);
  assert.equal(await native.getClientId(one), id);
  assert.ok((await native.getClientId(two)) !== id);
});

test('a push asks the app, whose answer is that of the push', async () => {
  const id = await openNative(true);
  const requests: number[] = [];
  const answers: ((request: number) => Promise<void> | void)[] = [];
  const subscription = native.onUploadRequested((event) => {
    assert.equal(event.databaseId, id);
    requests.push(event.requestId);
    void answers.shift()?.(event.requestId);
  });
  cleanup(() => {
    subscription.remove();
  });
  await native.uploadData(id); // nothing is pending: nobody is asked
  assert.equal(requests.length, 0);

  await insert(id, 'a');
  answers.push((request) => {
    native.finishUpload(id, request, 'the API says no');
  });
  await assert.rejects(native.uploadData(id), failsWith('UploadFailed', 'the API says no'));
  assert.equal(status(id).pendingChanges, 1);

  const one = async (request: number) => {
    const next = await crud(id, { after: null, transactions: 1, entries: 100 });
    await native.completeCrud(id, lastOf(next.entries).id);
    native.finishUpload(id, lastOf(requests.slice(0, 1)), 'an answer to an old request');
    native.finishUpload(id, request, '');
  };
  await insert(id, 'b');
  answers.push(one, one);
  await native.uploadData(id);
  assert.equal(requests.length, 3);
  assert.equal(new Set(requests).size, 3);
  assert.equal(status(id).pendingChanges, 0);

  // what is no request, or no longer one, is ignored
  for (const request of [lastOf(requests), 99, -1, 0.5, NaN]) {
    native.finishUpload(id, request, 'late');
    native.finishUpload(4_000_000_000, request, 'late');
  }
});

test('closing while the app uploads ends the push', async () => {
  const id = await openNative(true);
  await insert(id, 'a');
  const asked = new Promise<number>((resolve) => {
    const subscription = native.onUploadRequested((event) => {
      resolve(event.requestId);
    });
    cleanup(() => {
      subscription.remove();
    });
  });
  const pushed = assert.rejects(native.uploadData(id), failsWith('Closed'));
  const request = await asked;
  assert.equal(status(id).uploading, true);
  await native.close(id);
  await pushed;
  native.finishUpload(id, request, '');
});

const calls: Record<string, (id: number) => Promise<unknown>> = {
  clear: (id) => native.clear(id, true),
  getCrud: (id) => native.getCrud(id, '{"after":null,"transactions":1,"entries":1}'),
  completeCrud: (id) => native.completeCrud(id, 1),
  getUploadQueueStats: (id) => native.getUploadQueueStats(id, true),
  getClientId: (id) => native.getClientId(id),
};
for (const [name, call] of Object.entries(calls)) {
  test(`${name}: an unknown database is Closed, a number that is no id is BadArgument`, async () => {
    await assert.rejects(call(4_000_000_000), failsWith('Closed'));
    await assert.rejects(call(-1), failsWith('BadArgument', 'databaseId'));
  });
}

test('options and ids that mean nothing are BadArgument', async () => {
  const id = await openNative(true);
  for (const options of ['', 'null', '{}', '{"transactions":-1,"entries":1}', '{"transactions":1,"entries":1,"wat":2}']) {
    await assert.rejects(native.getCrud(id, options), failsWith('BadArgument', 'getCrud'));
  }
  for (const last of [-1, 0.5, NaN, Infinity]) {
    await assert.rejects(native.completeCrud(id, last), failsWith('BadArgument', 'lastId'));
  }
});

test('what the options of a table keep of a change is told; a name in SQL is not the name of the table', async () => {
  const options = { trackPrevious: { columns: ['title'] }, trackMetadata: true, viewName: 'v', conflict: 'clientWins' } as const;
  const t = new Table({ title: column.text, done: column.boolean, at: column.timestamp }, options);
  const local = new Table({ bytes: column.blob }, { localOnly: true });
  const log = new Table({ what: column.text }, { insertOnly: true });
  const id = await openNative(true, new Schema({ t, local, log }));
  const run = (sql: string, params: unknown[] = []) => native.execute(id, 0, sql, params);
  await run('INSERT INTO v (id, title, done, at, _metadata) VALUES (?, ?, ?, ?, ?)', ['a', 'x', true, '2026-01-01', 'note']);
  await run("UPDATE v SET title = 'y', done = ? WHERE id = 'a'", [false]);
  await run("INSERT INTO log (id, what) VALUES ('l', 'w')");
  await run("INSERT INTO local (id, bytes) VALUES ('b', ?)", [new Uint8Array([0, 255]).buffer]);
  await run("DELETE FROM v WHERE id = 'a'");
  await assert.rejects(run('UPDATE log SET what = 1'), failsWith('BadArgument', 'insertOnly'));
  await assert.rejects(run("INSERT INTO v (id, done) VALUES ('c', 2)"), failsWith('Constraint', 't.done is a boolean'));
  const { entries } = await crud(id);
  assert.deepEqual(
    entries.map((e) => [e.table, e.op, e.data, e.previous, e.metadata]),
    [
      ['t', 'PUT', { title: 'x', done: 1, at: '2026-01-01' }, null, 'note'],
      ['t', 'PATCH', { title: 'y', done: 0 }, { title: 'x' }, null],
      ['log', 'PUT', { what: 'w' }, null, null],
      ['t', 'DELETE', null, { title: 'y' }, null],
    ]
  );
  await native.clear(id, false);
  const count = async () => ((await native.query(id, 'SELECT count(*) AS n FROM local', [])) as { rows: { n: number }[] }).rows;
  assert.deepEqual(await count(), [{ n: 1 }]);
  await native.clear(id, true);
  assert.deepEqual(await count(), [{ n: 0 }]);
});
