/** The query hooks with React's test renderer, against the fake native module, whose results the test decides. */
import assert from 'node:assert/strict';
import { afterEach, beforeEach, test } from 'node:test';
import { Component, memo, type ReactNode, startTransition, StrictMode, Suspense, useState } from 'react';
import { act } from 'react-test-renderer';
import {
  column, type Database, openDatabase, Schema, SyncProvider, Table, useQuery, type UseQueryResult, useStatus, useSuspenseQuery, useSyncState,
} from '../../index';
import { sharedQueries } from '../../hooks/queryStore';
import { PowerSyncContext } from '../../powersync';
import { fake } from '../fakes/native';
import { consoleErrors, isSyncError, settled } from './expect';
import { replace, show, shown, unmount } from './screen';

type Row = { id: string; a: number };
const schema = new Schema({ t: new Table({ a: column.integer }) });
const connector = { fetchCredentials: () => Promise.resolve(null) };
const row = (id: string, a = 0): Row => ({ id, a });

let db: Database;
const id = (): number => fake.openIds().at(-1) ?? 0;
const watches = (): number[] => [...fake.watches.keys()];
const sqls = (): string[] => [...fake.watches.values()].map(({ sql, params }) => `${sql} ${JSON.stringify(params)}`);

async function deliver(rows: object[], kept: number[] | null = null, watch = watches().at(-1) ?? 0): Promise<void> {
  await act(async () => {
    fake.deliver(id(), watch, rows, kept);
    await settled();
  });
}
const inDatabase = (children: ReactNode, value: Database = db) => (
  <PowerSyncContext.Provider value={value}>{children}</PowerSyncContext.Provider>
);

let seen: UseQueryResult<Row>[] = [];
const last = (): UseQueryResult<Row> => {
  const latest = seen.at(-1);
  assert.ok(latest);
  return latest;
};
function Reader({ sql = 'SELECT', params, options }: { sql?: string; params?: unknown[]; options?: object }): null {
  seen.push(useQuery<Row>(sql, params, options));
  return null;
}

beforeEach(async () => {
  seen = [];
  fake.watches.clear();
  fake.onSql = () => ({});
  fake.log.length = 0;
  db = await openDatabase({ schema, userId: 'u', connector });
});
afterEach(async () => {
  await unmount();
  assert.equal(sharedQueries(db), 0, 'a query is still in the store');
  await db.close();
  assert.equal(fake.watches.size, 0, 'a watch still runs');
});

for (const strict of [false, true]) {
  test(`loading, data, updates, and nothing left behind${strict ? ' (StrictMode)' : ''}`, async () => {
    const tree = inDatabase(<Reader params={[1, 'x']} />);
    await show(strict ? <StrictMode>{tree}</StrictMode> : tree);
    const { data, isLoading, isFetching, error } = last();
    assert.deepEqual([data, isLoading, isFetching, error], [[], true, true, undefined]);
    assert.deepEqual(sqls(), ['SELECT [1,"x"]']);
    await deliver([row('a'), row('b')]);
    const first = last();
    assert.deepEqual([first.data, first.isLoading, first.isFetching], [[row('a'), row('b')], false, false]);
    await deliver([row('c')], [1, -1]);
    assert.equal(last().data[0], first.data[1], 'a row that did not change is the same object');
    assert.equal(last().refresh, first.refresh);
  });
}

test('parameters and options made inline change nothing; other values are another query', async () => {
  const tree = (a: number) => inDatabase(<Reader params={[a, new Uint8Array([1]), 2n]} options={{ tables: ['t'], throttleMs: 5 }} />);
  await show(tree(1));
  await deliver([row('a')]);
  const renders = seen.length;
  const before = last();
  await show(tree(1));
  assert.equal(seen.length, renders + 1);
  assert.equal(last(), before);
  assert.deepEqual([...fake.watches.values()][0]?.options, { throttleMs: 5, tables: ['t'] });
  await show(tree(2));
  assert.equal(watches().length, 1);
  assert.deepEqual([last().data, last().isLoading, last().isFetching], [before.data, false, true], 'the rows before, said to be fetching');
  await deliver([row('b')]);
  assert.deepEqual([last().data, last().isFetching], [[row('b')], false]);
  const flashes = seen.slice(renders + 1).filter(({ data, isFetching }) => !isFetching && data === before.data);
  assert.equal(flashes.length, 0, 'rows of the query before are never shown as those of the new one');
});

test('many components share one watch; it ends with the last of them', async () => {
  const readers = (count: number) => inDatabase(Array.from({ length: count }, (_, i) => <Reader key={i} params={[1]} options={{ reportFetching: i > 0 }} />));
  await show(readers(5));
  assert.equal(watches().length, 1);
  await deliver([row('a')]);
  assert.equal(new Set(seen.slice(-5).map(({ data }) => data)).size, 1);
  await show(readers(1));
  assert.equal(watches().length, 1);
  await show(readers(0));
  assert.equal(watches().length, 0);
});

test('another component in place of the first takes the watch over without loading', async () => {
  await show(inDatabase(<Reader key="one" />));
  await deliver([row('a')]);
  const watch = watches();
  const renders = seen.length;
  await show(inDatabase(<Reader key="two" />));
  assert.deepEqual(watches(), watch);
  assert.ok(seen.slice(renders).every(({ isLoading }) => !isLoading));
});

test('errors, recovery, and refresh', async () => {
  await show(inDatabase(<Reader />));
  await deliver([row('a')]);
  await act(async () => { fake.failWatch(id(), watches()[0] ?? 0, 'Sql', 'no such table: t'); });
  assert.ok(isSyncError(last().error, 'Sql', 'no such table'));
  assert.deepEqual([last().data, last().isLoading], [[row('a')], false]);
  await act(async () => { fake.failWatch(id(), watches()[0] ?? 0, '', ''); });
  assert.equal(last().error, undefined);
  let done = false;
  await act(async () => {
    last().refresh().then(() => { done = true; });
    await settled();
  });
  assert.deepEqual([last().data, last().isLoading, last().isFetching, done], [[row('a')], false, true, false]);
  await deliver([row('b')]);
  assert.deepEqual([last().data, last().isFetching, done], [[row('b')], false, true]);
});

test('wrong statements and parameters are errors of the hook', async () => {
  for (const props of [{ sql: '' }, { params: [{}] }, { sql: 5 as unknown as string }]) {
    await show(inDatabase(<Reader {...props} />));
    assert.ok(isSyncError(last().error, 'BadArgument'), JSON.stringify(props));
    assert.deepEqual([last().data, last().isLoading], [[], false]);
  }
});

test('a query of a query builder: by value, executed by itself; what compile throws is the error', async () => {
  let value = 0;
  const query = (sql: string) => ({ compile: () => ({ sql, parameters: [] as readonly unknown[] }), execute: () => Promise.resolve([row('x', value)]) });
  function Built({ sql }: { sql: string }): null {
    seen.push(useQuery(query(sql)));
    return null;
  }
  await show(inDatabase(<Built sql="SELECT 1" />));
  await deliver([{ raw: 1 }]);
  assert.deepEqual(last().data, [row('x')]);
  await show(inDatabase(<Built sql="SELECT 1" />));
  assert.equal(watches().length, 1);
  value = 1;
  await deliver([{ raw: 2 }]);
  assert.deepEqual(last().data, [row('x', 1)]);
  const broken = { compile: () => { throw new Error('mine'); }, execute: () => Promise.resolve([]) };
  function Broken(): null {
    seen.push(useQuery(broken));
    return null;
  }
  await show(inDatabase(<Broken />));
  const renders = seen.length;
  assert.equal(last().error?.message, 'mine');
  await show(inDatabase(<Broken />));
  assert.equal(seen.length, renders + 1);
});

test('runQueryOnce: no watch; runs again with other parameters and with refresh', async () => {
  let answer = [row('a')];
  fake.onSql = () => ({ rows: answer });
  const tree = (params: unknown[]) => <StrictMode>{inDatabase(<Reader params={params} options={{ runQueryOnce: true }} />)}</StrictMode>;
  await show(tree([1]));
  assert.deepEqual([last().data, last().isLoading, watches().length], [[row('a')], false, 0]);
  answer = [row('b')];
  await show(tree([1]));
  assert.deepEqual(last().data, [row('a')]);
  await act(() => last().refresh());
  assert.deepEqual([last().data, last().isFetching], [[row('b')], false]);
  answer = [row('c')];
  await show(tree([2]));
  assert.deepEqual(last().data, [row('c')]);
  fake.onSql = () => { throw Object.assign(new Error('no such column'), { code: 'Sql' }); };
  await act(() => last().refresh());
  assert.ok(isSyncError(last().error, 'Sql'));
});

test('rowComparator: what it finds unchanged keeps its object and renders nothing', async () => {
  const options = () => ({ rowComparator: { keyBy: (r: Row) => r.id, compareBy: (r: Row) => r.id } });
  await show(inDatabase(<Reader options={options()} />));
  await deliver([row('a', 1), row('b', 1)]);
  const before = last();
  const renders = seen.length;
  await deliver([row('a', 2), row('b', 2)]);
  assert.equal(seen.length, renders);
  await deliver([row('a', 3), row('c', 3)]);
  assert.equal(last().data[0], before.data[0]);
  assert.deepEqual(last().data[1], row('c', 3));
});

test('reportFetching false: the first result after a change of parameters is one render', async () => {
  const tree = (a: number) => inDatabase(<Reader params={[a]} options={{ reportFetching: false }} />);
  await show(tree(1));
  await deliver([row('a')]);
  const renders = seen.length;
  await show(tree(2));
  assert.deepEqual([last().isFetching, last().data], [false, [row('a')]]);
  await deliver([row('b')]);
  assert.ok(seen.length <= renders + 3, String(seen.length - renders));
  assert.deepEqual(last().data, [row('b')]);
});

test('50 memoised rows: only the one that changed renders again', async () => {
  const renders = new Map<string, number>();
  const Item = memo(function Item({ item }: { item: Row }): string {
    renders.set(item.id, (renders.get(item.id) ?? 0) + 1);
    return item.id;
  });
  function List(): ReactNode {
    return useQuery<Row>('SELECT').data.map((item) => <Item key={item.id} item={item} />);
  }
  await show(inDatabase(<List />));
  await deliver(Array.from({ length: 50 }, (_, i) => row(`r${i}`)));
  assert.equal(renders.size, 50);
  renders.clear();
  await deliver([row('r7', 1)], Array.from({ length: 50 }, (_, i) => (i === 7 ? -1 : i)));
  assert.deepEqual([...renders], [['r7', 1]]);
});

test('another user in the middle: no render shows rows of the one before', async () => {
  const shown: { user: string; data: readonly Row[]; ready: boolean }[] = [];
  function Screen({ user }: { user: string }): null {
    const { data } = useQuery<Row>('SELECT');
    shown.push({ user, data, ready: useSyncState().isInitialized });
    useStatus();
    return null;
  }
  const tree = (user: string) => <SyncProvider schema={schema} connector={connector} userId={user} directory="/x"><Screen user={user} /></SyncProvider>;
  await show(tree('one'));
  await deliver([row('of one')]);
  assert.deepEqual(shown.at(-1), { user: 'one', data: [row('of one')], ready: true });
  let release = (): void => undefined;
  fake.hold.signOut = new Promise<void>((resolve) => { release = resolve; });
  await show(tree('two'));
  const ofTwo = () => shown.filter(({ user }) => user === 'two');
  assert.ok(ofTwo().length > 0);
  assert.ok(ofTwo().every(({ data, ready }) => data.length === 0 && !ready), 'rows of the user before were shown');
  release();
  await act(settled);
  await deliver([row('of two')]);
  assert.deepEqual(shown.at(-1)?.data, [row('of two')]);
  assert.ok(ofTwo().every(({ data }) => data.every((r) => r.id === 'of two')));
  // The engine ends the watches of a database that is closed; the fake does not.
  fake.watches.clear();
});

test('loading while the database opens, the failure if it does not; unmounting meanwhile is quiet', async () => {
  let release = (): void => undefined;
  fake.hold.open = new Promise<void>((resolve) => { release = resolve; });
  const tree = (user: string | null) => <SyncProvider schema={schema} connector={connector} userId={user} directory="/y"><Reader /></SyncProvider>;
  await show(tree('one'));
  assert.deepEqual([last().isLoading, last().error], [true, undefined]);
  await show(<p />);
  release();
  await act(settled);
  fake.fail.open = Object.assign(new Error('no'), { code: 'Unwritable' });
  await show(tree('two'));
  assert.deepEqual([last().isLoading, last().data], [false, []]);
  assert.ok(isSyncError(last().error, 'Unwritable'));
  await show(tree(null));
  assert.deepEqual([last().isLoading, last().error], [true, undefined]);
});

test('outside a provider useQuery says so in its error', async () => {
  await show(<Reader />);
  assert.ok(isSyncError(last().error, 'NotOpen', 'SyncProvider'));
});

test('fallback: until the database is open, not while signed out', async () => {
  const tree = (user: string | null) => (
    <SyncProvider schema={schema} connector={connector} userId={user} directory="/z" fallback="splash">app</SyncProvider>
  );
  let release = (): void => undefined;
  await show(tree(null));
  assert.equal(shown(), 'app');
  fake.hold.open = new Promise<void>((resolve) => { release = resolve; });
  await show(tree('one'));
  assert.equal(shown(), 'splash');
  release();
  await act(settled);
  assert.equal(shown(), 'app');
});

class Boundary extends Component<{ children: ReactNode }, { error: Error | null }> {
  override state = { error: null as Error | null };
  static getDerivedStateFromError = (error: Error) => ({ error });
  override render(): ReactNode {
    return this.state.error === null ? this.props.children : `failed: ${this.state.error.message}`;
  }
}
function Suspending({ params, once }: { params?: unknown[]; once?: boolean }): string {
  const { data, refresh } = useSuspenseQuery<Row>('SELECT', params, { runQueryOnce: once === true });
  again = refresh;
  return data.map((r) => r.id).join() || 'none';
}
let again: (() => Promise<void>) | undefined;
const suspending = (children: ReactNode) => <Boundary><Suspense fallback="loading">{children}</Suspense></Boundary>;

for (const strict of [false, true]) {
  test(`Suspense: fallback, rows, updates; two components share one watch${strict ? ' (StrictMode)' : ''}`, async () => {
    const tree = inDatabase(suspending(<><Suspending params={[1]} /><Suspending params={[1]} /></>));
    await show(strict ? <StrictMode>{tree}</StrictMode> : tree);
    assert.equal(shown(), 'loading');
    assert.equal(watches().length, 1);
    await deliver([row('a')]);
    assert.deepEqual(shown(), ['a', 'a']);
    await deliver([row('b')]);
    assert.deepEqual(shown(), ['b', 'b']);
    assert.equal(watches().length, 1);
  });
}

test('Suspense: while the database opens, then rows; a failure goes to the error boundary', async () => {
  let release = (): void => undefined;
  fake.hold.open = new Promise<void>((resolve) => { release = resolve; });
  await show(<SyncProvider schema={schema} connector={connector} userId="s" directory="/s">{suspending(<Suspending />)}</SyncProvider>);
  assert.equal(shown(), 'loading');
  release();
  await act(settled);
  await deliver([row('a')]);
  assert.equal(shown(), 'a');
  await consoleErrors(async () => {
    await act(async () => { fake.failWatch(id(), watches()[0] ?? 0, 'Sql', 'broken'); await settled(); });
  });
  assert.equal(shown(), 'failed: broken');
});

test('Suspense: other parameters suspend; in a transition the rows before stay; every component shows the same', async () => {
  let change = (a: number): void => { assert.fail(String(a)); };
  const torn: string[] = [];
  function Pair(): ReactNode {
    const [a, setA] = useState(1);
    change = setA;
    const [one, two] = [useSuspenseQuery<Row>('SELECT', [a]).data, useQuery<Row>('SELECT', [a]).data];
    if (one !== two) {
      torn.push(`${a}: ${JSON.stringify([one, two])}`);
    }
    return one.map((r) => r.id).join();
  }
  await show(inDatabase(suspending(<Pair />)));
  await deliver([row('a')]);
  assert.equal(shown(), 'a');
  await act(async () => { startTransition(() => { change(2); }); await settled(); });
  assert.equal(shown(), 'a', 'the rows before, until those of the transition are there');
  await deliver([row('b')]);
  assert.equal(shown(), 'b');
  assert.equal(watches().length, 1, 'the watch of the parameters before has ended');
  await act(async () => { change(3); await settled(); });
  assert.equal(shown(), 'loading');
  await deliver([row('c')]);
  assert.equal(shown(), 'c');
  assert.deepEqual(torn, []);
});

test('Suspense: a component that goes away while it waits leaves no watch behind', async (t) => {
  await show(inDatabase(suspending(<Suspending params={[9]} />)));
  assert.equal(watches().length, 1);
  t.mock.timers.enable({ apis: ['setTimeout'] });
  replace(<p />);
  fake.deliver(id(), watches()[0] ?? 0, [row('a')]);
  await Promise.resolve();
  t.mock.timers.tick(4_000);
  assert.equal(watches().length, 1, 'kept for a while');
  t.mock.timers.tick(2_000);
  t.mock.timers.reset();
  await settled();
  assert.equal(watches().length, 0);
});

test('Suspense with runQueryOnce: the first rows stay until refresh', async (t) => {
  await show(inDatabase(suspending(<Suspending once />)));
  t.mock.timers.enable({ apis: ['setTimeout'] });
  fake.deliver(id(), watches()[0] ?? 0, [row('a')]);
  await act(async () => { for (let i = 0; i < 20; i++) { await Promise.resolve(); } });
  assert.equal(shown(), 'a');
  t.mock.timers.tick(6_000);
  t.mock.timers.reset();
  await settled();
  assert.equal(watches().length, 0, 'the watch is let go');
  assert.equal(shown(), 'a');
  fake.onSql = () => ({ rows: [row('b')] });
  await act(async () => { await again?.(); });
  assert.equal(shown(), 'b');
});
