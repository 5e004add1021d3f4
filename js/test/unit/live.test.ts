/** Live queries against the fake native module, whose results the test decides. Real ones are in ../hermes/liveQueries.test.ts. */
import assert from 'node:assert/strict';
import { afterEach, beforeEach, test } from 'node:test';
import { ArrayComparator, column, type Database, openDatabase, Schema, type SqlParameter, Table } from '../../index';
import { fake } from '../fakes/native';
import { consoleErrors, isSyncError, settled } from './expect';

type T = { id: string; a: number };
const schema = new Schema({ t: new Table({ a: column.integer }) });
const connector = { fetchCredentials: () => Promise.resolve(null) };
const row = (id: string, a = 0): T => ({ id, a });

let db: Database;
let id: number;
beforeEach(async () => {
  fake.watches.clear();
  fake.onSql = () => ({});
  fake.log.length = 0;
  db = await openDatabase({ schema, userId: 'u', connector });
  id = fake.openIds().at(-1) ?? 0;
});
afterEach(() => db.close());

const lastWatch = (): number => [...fake.watches.keys()].at(-1) ?? 0;
async function deliver(rows: object[], kept: number[] | null = null): Promise<void> {
  await settled();
  fake.deliver(id, lastWatch(), rows, kept);
  await settled();
}

test('a watched query: loading, data, kept rows, a new array only when something is new', async () => {
  const query = db.query<T>({ sql: 'SELECT', parameters: [1] }).watch();
  const states: unknown[] = [];
  const data: unknown[] = [];
  query.registerListener({ onStateChange: (state) => { states.push(state); }, onData: (rows) => { data.push(rows); } });
  assert.deepEqual(query.state, { isLoading: true, isFetching: true, error: null, lastUpdated: null, data: [] });
  await deliver([row('a'), row('b')]);
  const first = query.state;
  assert.deepEqual([first.isLoading, first.isFetching, first.data], [false, false, [row('a'), row('b')]]);
  assert.notEqual(first.lastUpdated, null);
  const watch = fake.watches.get(lastWatch());
  assert.deepEqual([watch?.sql, watch?.params, watch?.options], ['SELECT', [1], { throttleMs: 30, tables: null }]);
  await deliver([row('c', 3)], [1, -1]);
  assert.equal(query.state.data[0], first.data[1]);
  assert.deepEqual(query.state.data, [row('b'), row('c', 3)]);
  assert.deepEqual(first.data, [row('a'), row('b')], 'the old one stays as it was');
  assert.deepEqual([states.length, data.length], [2, 2]);
  assert.equal(states[1], query.state);
  await query.close();
  await query.close();
  assert.ok(fake.log.some((call) => call.startsWith('unwatch')));
  assert.equal(fake.watches.size, 0);
});

test('errors are in the state and told, and the watch recovers', async () => {
  const query = db.query<T>({ sql: 'SELECT' }).watch({ reportFetching: false });
  const errors: Error[] = [];
  query.registerListener({ onError: (error) => { errors.push(error); } });
  assert.equal(query.state.isFetching, false);
  await deliver([row('a')]);
  fake.failWatch(id, lastWatch(), 'Sql', 'no such table: t');
  assert.ok(isSyncError(query.state.error, 'Sql', 'no such table'));
  assert.deepEqual(query.state.data, [row('a')]);
  const before = query.state.data;
  fake.failWatch(id, lastWatch(), '', '');
  assert.equal(query.state.error, null);
  fake.failWatch(id, lastWatch(), 'Sql', 'no such table: t');
  await deliver([], [0]);
  assert.equal(query.state.error, null);
  assert.equal(query.state.data, before, 'the very same result is no new array');
  assert.equal(errors.length, 2);
});

test('a statement or parameter that is wrong is an error of the state; new settings make it good', async () => {
  const query = db.query<T>({ sql: 'SELECT', parameters: [new Date() as unknown as SqlParameter] }).watch();
  await settled();
  assert.ok(isSyncError(query.state.error, 'BadArgument', 'toISOString'));
  assert.equal(query.state.isLoading, false);
  let told = 0;
  query.registerListener({ settingsWillUpdate: () => { told += 1; } });
  const states: boolean[] = [];
  query.registerListener({ onStateChange: ({ isFetching }) => { states.push(isFetching); } });
  const updating = query.updateSettings({ query: { compile: () => ({ sql: 'B', parameters: [] }), execute: async () => [row('z')] } });
  assert.equal(told, 0, 'nothing while the caller may still be rendering');
  await updating;
  assert.deepEqual([told, states], [1, [true]]);
  await deliver([row('ignored')]);
  assert.deepEqual(query.state.data, [row('z')]);
  assert.deepEqual([query.state.error, query.state.isFetching], [null, false]);
});

test('updateSettings leaves the old watch, and what still comes from it is not heard', async () => {
  const query = db.query<T>({ sql: 'A' }).watch();
  await deliver([row('a')]);
  const old = lastWatch();
  await query.updateSettings({ query: { compile: () => ({ sql: 'B', parameters: [] }), execute: async () => [] }, throttleMs: 5 });
  await settled();
  assert.ok(!fake.watches.has(old));
  assert.equal(fake.watches.get(lastWatch())?.options.throttleMs, 5);
  fake.deliver(id, old, [row('old')]);
  assert.deepEqual(query.state.data, [row('a')], 'the data stays until there is new');
  await query.close();
  await query.updateSettings({ throttleMs: 1 });
  assert.equal(fake.watches.size, 0);
});

test('closing before the engine has answered ends the watch as soon as it has', async () => {
  const query = db.query<T>({ sql: 'A' }).watch();
  await query.close();
  await settled();
  assert.equal(fake.watches.size, 0);
});

test('results that are there before their watches know their ids reach all of them', async () => {
  const queries = [1, 2, 3].map((parameter) => db.query<T>({ sql: 'SELECT', parameters: [parameter] }).watch());
  while (fake.watches.size < queries.length) {
    await Promise.resolve();
  }
  for (const watch of fake.watches.keys()) {
    fake.deliver(id, watch, [row('a', watch)]);
  }
  await settled();
  assert.deepEqual(queries.map(({ state }) => [state.isLoading, state.data.length]), [[false, 1], [false, 1], [false, 1]]);
});

test('a mapper is called for new rows only, and one that throws is an error', async () => {
  let calls = 0;
  let broken = false;
  const mapper = (raw: Record<string, unknown>) => {
    calls += 1;
    if (broken) { throw new Error('mapper'); }
    return { key: raw['id'] };
  };
  const query = db.query({ sql: 'A', mapper }).watch();
  await deliver([row('a'), row('b')]);
  const [, kept] = query.state.data;
  assert.equal(calls, 2);
  await deliver([row('c')], [1, -1]);
  assert.deepEqual([calls, query.state.data], [3, [{ key: 'b' }, { key: 'c' }]]);
  assert.equal(query.state.data[0], kept);
  broken = true;
  await deliver([row('d')], [0, 1, -1]);
  assert.equal(query.state.error?.message, 'mapper');
  broken = false;
  await deliver([row('e')], [2, -1]);
  assert.deepEqual([query.state.error, query.state.data], [null, [{ key: 'd' }, { key: 'e' }]]);
});

test('a comparator keeps equal results from being told', async () => {
  const comparator = new ArrayComparator<T>({ compareBy: (item) => item.id });
  const query = db.query<T>({ sql: 'A' }).watch({ comparator });
  let told = 0;
  query.registerListener({ onData: () => { told += 1; } });
  await deliver([row('a', 1)]);
  await deliver([row('a', 2)]);
  assert.deepEqual([told, query.state.data], [1, [row('a', 1)]]);
  await deliver([row('b', 2)]);
  assert.deepEqual([told, query.state.data], [2, [row('b', 2)]]);
});

test('differentialWatch: what was added, removed, updated; unchanged rows are the same objects', async () => {
  const query = db.query<T>({ sql: 'A' }).differentialWatch({ placeholderData: [row('p')] });
  assert.deepEqual(query.state.data, [row('p')]);
  const diffs: { added: unknown; removed: unknown; updated: unknown; unchanged: unknown; all: unknown }[] = [];
  query.registerListener({ onDiff: (diff) => { diffs.push(diff); } });
  await deliver([row('a'), row('b'), row('c')]);
  assert.deepEqual(diffs[0]?.added, [row('a'), row('b'), row('c')]);
  const [a] = query.state.data;
  // The engine gives b anew although nothing of it has changed, c with another value, and d instead of nothing.
  await deliver([row('b'), row('c', 1), row('d')], [0, -1, -1, -1]);
  assert.deepEqual(diffs[1], {
    added: [row('d')], removed: [], updated: [{ current: row('c', 1), previous: row('c') }],
    unchanged: [row('a'), row('b')], all: [row('a'), row('b'), row('c', 1), row('d')],
  });
  assert.equal(query.state.data[0], a);
  await deliver([row('a'), row('b'), row('c', 1), row('d')]);
  assert.equal(diffs.length, 2, 'nothing new');
  assert.equal(query.state.data[0], a);
  await deliver([], [1, 0]);
  assert.deepEqual(diffs[2]?.removed, [row('c', 1), row('d')]);
  assert.deepEqual(query.state.data, [row('b'), row('a')]);
  await deliver([], [1, 0]);
  assert.deepEqual(query.state.data, [row('a'), row('b')], 'another order is news');
});

test('a rowComparator decides; the first empty result is told', async () => {
  const rowComparator = { keyBy: (item: T) => item.id, compareBy: () => 'same' };
  const query = db.query<T>({ sql: 'A' }).differentialWatch({ rowComparator });
  let told = 0;
  query.registerListener({ onData: () => { told += 1; } });
  await deliver([]);
  assert.deepEqual([told, query.state.isLoading], [1, false]);
  await deliver([row('a', 1)]);
  await deliver([row('a', 2)]);
  assert.deepEqual([told, query.state.data], [2, [row('a', 1)]]);
});

test('customQuery: its own execute makes the rows, unless it is SQL text or has a mapper', async () => {
  let runs = 0;
  const compile = () => ({ sql: 'A', parameters: [] });
  const execute = async () => { runs += 1; return [{ run: runs }]; };
  const own = db.customQuery({ compile, execute }).watch();
  await deliver([row('a')]);
  assert.deepEqual(own.state.data, [{ run: 1 }]);
  await deliver([row('a', 1)]);
  assert.deepEqual(own.state.data, [{ run: 2 }]);
  const mapped = db.customQuery({ compile, execute, mapper: (raw) => ({ run: Number(raw['a']) }) }).watch();
  await deliver([row('a', 7)]);
  assert.deepEqual(mapped.state.data, [{ run: 7 }]);
  assert.equal(runs, 2);
  const failing = db.customQuery({ compile, execute: () => Promise.reject(new Error('orm')) }).watch();
  await deliver([row('a')]);
  assert.equal(failing.state.error?.message, 'orm');
  for (const wrong of [undefined, {}, { compile }, 'SELECT']) {
    assert.throws(() => db.customQuery(wrong as never), (e) => isSyncError(e, 'BadArgument', 'compile'));
  }
  const broken = db.customQuery({ compile: () => { throw new Error('builder'); }, execute }).watch();
  assert.equal(broken.state.error?.message, 'builder');
});

test('listenerMeta counts, listeners that throw or reject are reported, the rest go on', async () => {
  const query = db.query<T>({ sql: 'A' }).watch();
  const counts: unknown[] = [];
  query.listenerMeta.registerListener({ listenersChanged: (now) => { counts.push({ ...now }); } });
  const stop = query.registerListener({ onData: () => { throw new Error('mine'); }, closed: () => undefined });
  query.registerListener({ onData: () => Promise.reject(new Error('mine, too')) });
  let told = 0;
  query.registerListener({ onData: () => { told += 1; } });
  assert.deepEqual(counts.slice(0, 2), [{ total: 1, onData: 1, closed: 1 }, { total: 2, onData: 2, closed: 1 }]);
  const errors = await consoleErrors(() => deliver([row('a')]));
  assert.deepEqual([errors.length, told], [2, 1]);
  stop();
  stop();
  assert.deepEqual(counts.at(-1), { total: 2, onData: 2 });
});

test('closing the database closes watched queries and ends streams', async () => {
  const query = db.query<T>({ sql: 'A' }).watch();
  let closed = 0;
  query.registerListener({ closed: () => { closed += 1; } });
  const results = db.watch('B');
  const next = results.next();
  const changes = db.onChange();
  const change = changes.next();
  await settled();
  await db.close();
  assert.deepEqual([closed, query.closed], [1, true]);
  assert.deepEqual([await next, await change], [{ done: true, value: undefined }, { done: true, value: undefined }]);
  const late = db.query<T>({ sql: 'A' }).watch();
  await settled();
  assert.ok(isSyncError(late.state.error, 'Closed'));
  await assert.rejects(db.watch('A').next(), (e) => isSyncError(e, 'Closed'));
});

test('watch with a handler', async () => {
  const results: unknown[] = [];
  const errors: Error[] = [];
  const stop = db.watch('A', [1], { onResult: (r) => { results.push(r.array); }, onError: (e) => { errors.push(e); } }, {
    throttleMs: 0, tables: ['t'],
  });
  await deliver([row('a')]);
  assert.deepEqual(fake.watches.get(lastWatch())?.options, { throttleMs: 0, tables: ['t'] });
  fake.failWatch(id, lastWatch(), 'Sql', 'gone');
  await deliver([row('b')], [0, -1]);
  assert.deepEqual(results, [[row('a')], [row('a'), row('b')]]);
  assert.equal(errors.length, 1);
  stop();
  stop();
  assert.equal(fake.watches.size, 0);
  const controller = new AbortController();
  db.watch('A', [], { onResult: () => assert.fail('told') }, { signal: controller.signal });
  controller.abort();
  await settled();
  assert.equal(fake.watches.size, 0);
});

test('watch as an iterator: newest result only, ends by return, signal and error', async () => {
  const results = db.watch('A');
  const first = results.next();
  await deliver([row('a')]);
  assert.deepEqual((await first).value?.array, [row('a')]);
  await deliver([row('b')]);
  await deliver([row('c')]);
  assert.deepEqual((await results.next()).value?.array, [row('c')]);
  await results.return?.();
  assert.deepEqual(await results.next(), { done: true, value: undefined });
  assert.equal(fake.watches.size, 0);

  const controller = new AbortController();
  let rounds = 0;
  const loop = (async () => {
    for await (const result of db.watch('A', [], { signal: controller.signal })) {
      rounds += result.array.length;
    }
  })();
  await deliver([row('a')]);
  controller.abort();
  await loop;
  assert.deepEqual([rounds, fake.watches.size], [1, 0]);

  const failing = db.watch('A')[Symbol.asyncIterator]();
  const failed = assert.rejects(failing.next(), (e) => isSyncError(e, 'Sql'));
  await settled();
  fake.failWatch(id, lastWatch(), 'Sql', 'gone');
  await failed;
  assert.deepEqual(await failing.next(), { done: true, value: undefined });
});

test('onChange: the first at once, then gathered; only the tables asked for', async () => {
  assert.equal(fake.tableEvents, false);
  const events: string[][] = [];
  const stop = db.onChange({ onChange: ({ changedTables }) => { events.push(changedTables); } }, { tables: ['T', 'u'], throttleMs: 20 });
  assert.equal(fake.tableEvents, true);
  fake.changeTables(id, ['x']);
  fake.changeTables(id, ['t', 'x']);
  fake.changeTables(id, ['t']);
  fake.changeTables(id, ['u']);
  assert.deepEqual(events, [['t']]);
  await new Promise((resolve) => setTimeout(resolve, 60));
  assert.deepEqual(events, [['t'], ['t', 'u']]);
  fake.changeTables(id, ['u']);
  assert.equal(events.length, 3);
  stop();
  stop();
  assert.equal(fake.tableEvents, false);
  fake.changeTables(id, ['u']);
  assert.equal(events.length, 3);
});

test('onChange: triggerImmediate, all tables, errors, an iterator', async () => {
  const events: string[][] = [];
  const errors: Error[] = [];
  db.onChange(
    { onChange: async ({ changedTables }) => { events.push(changedTables); throw new Error('mine'); }, onError: (e) => { errors.push(e); } },
    { triggerImmediate: true, throttleMs: 0 }
  );
  fake.changeTables(id, ['x']);
  await settled();
  assert.deepEqual([events, errors.length], [[[], ['x']], 2]);
  const controller = new AbortController();
  const seen: string[][] = [];
  const loop = (async () => {
    for await (const { changedTables } of db.onChange({ signal: controller.signal, throttleMs: 0 })) {
      seen.push(changedTables);
      await settled();
    }
  })();
  for (const name of ['a', 'b', 'c']) { fake.changeTables(id, [name]); }
  await settled();
  await settled();
  controller.abort();
  await loop;
  assert.deepEqual(seen, [['a'], ['b', 'c']]);
});

test('row ids reach listeners that take them, and are not parsed for the others', async () => {
  const parse = JSON.parse.bind(JSON);
  let parsed = 0;
  const seen: unknown[] = [];
  const stop = db.registerListener({ tablesChanged: (tables) => { seen.push(tables); } });
  JSON.parse = ((text: string) => { parsed += 1; return parse(text) as unknown; }) as typeof JSON.parse;
  try {
    fake.changeTables(id, ['t'], { t: ['a'] });
    assert.deepEqual([seen, parsed], [[['t']], 0]);
    db.registerListener({ tablesChanged: (_tables, rowIds) => { seen.push(rowIds); } });
    fake.changeTables(id, ['t'], { t: ['a'] });
    assert.deepEqual([seen.at(-1), parsed], [{ t: ['a'] }, 1]);
  } finally {
    JSON.parse = parse;
  }
  stop();
  assert.equal(fake.tableEvents, true, 'the other one still listens');
});

test('misuse is BadArgument at once', async () => {
  const query = db.query<T>({ sql: 'A' });
  const wrong: (() => unknown)[] = [
    () => db.query('SELECT' as never), () => db.query({ sql: 'A', mapper: 5 as never }),
    () => query.watch({ throttleMs: -1 }), () => query.watch({ throttleMs: 'fast' as never }), () => query.watch(5 as never),
    () => query.watch({ triggerOnTables: 't' as never }), () => query.watch({ comparator: {} as never }),
    () => query.differentialWatch({ rowComparator: { keyBy: () => '' } as never }),
    () => query.differentialWatch({ placeholderData: {} as never }),
    () => db.watch('A', [], { onResult: 5 as never }), () => db.watch('A', [], { onError: () => undefined } as never),
    () => db.watch('A', [], { onResult: () => undefined, onError: 5 as never }),
    () => db.watch('A', [], { signal: 5 as never }), () => db.watch('A', [], { tables: [5] as never }),
    () => db.onChange({ onChange: 5 as never }), () => db.onChange({ throttleMs: Infinity }),
    () => db.watchWithCallback('A', [], undefined as never), () => db.onChangeWithCallback(undefined as never),
  ];
  for (const [index, call] of wrong.entries()) {
    assert.throws(call, (e) => isSyncError(e, 'BadArgument'), String(index));
  }
  const running = query.watch();
  await assert.rejects(running.updateSettings({ throttleMs: NaN }), (e) => isSyncError(e, 'BadArgument'));
});

test('resolveTables', async () => {
  fake.description = { tables: ['t', 'u'], readOnly: true, parameters: 0, columnNames: [] };
  assert.deepEqual(await db.resolveTables('SELECT', [1]), ['t', 'u']);
  assert.deepEqual(await db.resolveTables('SELECT', [], { tables: ['x'] }), ['x']);
  await assert.rejects(db.resolveTables(''), (e) => isSyncError(e, 'BadArgument'));
});
