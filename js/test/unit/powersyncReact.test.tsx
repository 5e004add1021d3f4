/**
 * The real `@powersync/react` 2.x from npm over our database object: its provider, its hooks. The native module is the fake,
 * whose results the test decides; ../hermes/powersyncReact.test.tsx does the same with the engine.
 */
import assert from 'node:assert/strict';
import { afterEach, beforeEach, test } from 'node:test';
import {
  PowerSyncContext, usePowerSync, useQuery, useStatus, useSuspenseQuery, useWatchedQuerySubscription, useWatchedQuerySuspenseSubscription,
} from '@powersync/react';
import { type ContextType, type ReactNode, StrictMode, Suspense } from 'react';
import { act } from 'react-test-renderer';
import { column, type Database, openDatabase, Schema, Table } from '../../index';
import { fake } from '../fakes/native';
import { settled } from './expect';
import { show as render, shown, unmount } from './screen';

type Row = { id: string; a: number };
const schema = new Schema({ t: new Table({ a: column.integer }) });
const connector = { fetchCredentials: () => Promise.resolve(null) };
const row = (id: string, a = 0): Row => ({ id, a });

let db: Database;
const id = (): number => fake.openIds().at(-1) ?? 0;
const watches = (): number[] => [...fake.watches.keys()];
const show = (children: ReactNode): Promise<void> =>
  render(
    <StrictMode>
      <PowerSyncContext.Provider value={db as unknown as NonNullable<ContextType<typeof PowerSyncContext>>}>{children}</PowerSyncContext.Provider>
    </StrictMode>
  );
async function deliver(rows: object[], kept: number[] | null = null): Promise<void> {
  await act(async () => {
    for (const watch of watches()) {
      fake.deliver(id(), watch, rows, kept);
    }
    await settled();
  });
}

beforeEach(async () => {
  fake.watches.clear();
  fake.onSql = () => ({});
  db = await openDatabase({ schema, userId: 'u', connector });
});
afterEach(async () => {
  await unmount();
  await db.close();
});

let last: ReturnType<typeof useQuery<Row>> | null = null;
function Reader({ query = 'SELECT', params = [], options = {} }: { query?: string | object; params?: unknown[]; options?: object }): null {
  last = useQuery<Row>(query as string, params, options);
  return null;
}

test('useQuery: loading, data, updates, other parameters, errors', async () => {
  await show(<Reader params={[1]} />);
  assert.deepEqual([last?.isLoading, last?.data], [true, []]);
  await deliver([row('a'), row('b')]);
  assert.deepEqual([last?.isLoading, last?.isFetching, last?.data], [false, false, [row('a'), row('b')]]);
  const first = last?.data[1];
  await deliver([row('c')], [1, -1]);
  assert.equal(last?.data[0], first);
  await show(<Reader params={[2]} options={{ throttleMs: 7 }} />);
  assert.equal(last?.isFetching, true);
  assert.deepEqual([...fake.watches.values()].at(-1)?.params, [2]);
  await deliver([row('d')]);
  assert.deepEqual([last.data, last.isFetching], [[row('d')], false]);
  await act(async () => { fake.failWatch(id(), watches().at(-1) ?? 0, 'Sql', 'broken'); await settled(); });
  assert.equal(last.error?.message, 'broken');
});

test('useQuery with reportFetching, runQueryOnce, rowComparator, and a query of a query builder', async () => {
  await show(<Reader options={{ reportFetching: false }} />);
  assert.equal(last?.isFetching, false);
  await deliver([row('a')]);
  assert.deepEqual(last.data, [row('a')]);

  fake.onSql = () => ({ rows: [row('once')] });
  await show(<Reader key="once" options={{ runQueryOnce: true }} />);
  assert.deepEqual([last.data, last.isLoading], [[row('once')], false]);
  fake.onSql = () => ({ rows: [row('twice')] });
  await act(async () => { await last?.refresh?.(new AbortController().signal); });
  assert.deepEqual(last.data, [row('twice')]);

  const rowComparator = { keyBy: (r: Row) => r.id, compareBy: (r: Row) => r.id };
  await show(<Reader key="diff" options={{ rowComparator }} />);
  await deliver([row('a', 1), row('b', 1)]);
  const before = last.data[0];
  await deliver([row('a', 2), row('c', 2)]);
  assert.equal(last.data[0], before);
  assert.deepEqual(last.data[1], row('c', 2));

  const built = { compile: () => ({ sql: 'SELECT 2', parameters: [] }), execute: () => Promise.resolve([row('built')]) };
  await show(<Reader key="built" query={built} />);
  await deliver([{ raw: 1 }]);
  assert.deepEqual(last.data, [row('built')]);
});

test('useStatus and usePowerSync', async () => {
  let seen: unknown[] = [];
  function Status(): null {
    const status = useStatus();
    seen = [status.connected, status.hasSynced, status.dataFlowStatus.downloading, (usePowerSync() as unknown) === db];
    return null;
  }
  await show(<Status />);
  assert.deepEqual(seen, [false, false, false, true]);
  await act(async () => { fake.setStatus(id(), { status: 'syncing', connected: true, hasSynced: true, downloading: true }); });
  assert.deepEqual(seen, [true, true, true, true]);
});

for (const options of [{}, { runQueryOnce: true }, { rowComparator: { keyBy: (r: Row) => r.id, compareBy: (r: Row) => JSON.stringify(r) } }]) {
  test(`useSuspenseQuery ${JSON.stringify(options)}`, async () => {
    function Screen(): string {
      return useSuspenseQuery<Row>('SELECT', [], options).data.map((r) => r.id).join();
    }
    await show(<Suspense fallback="loading"><Screen /></Suspense>);
    assert.equal(shown(), 'loading');
    await deliver([row('a')]);
    assert.equal(shown(), 'a');
    if (!('runQueryOnce' in options)) {
      await deliver([row('b')]);
      assert.equal(shown(), 'b');
    }
  });
}

test('useWatchedQuerySubscription and its Suspense form', async () => {
  const query = db.query<Row>({ sql: 'SELECT' }).watch();
  type Subscribed = Parameters<typeof useWatchedQuerySubscription>[0];
  const given = query as unknown as Subscribed;
  const ids = (data: unknown): string => (data as Row[]).map((r) => r.id).join() || 'none';
  const Plain = (): string => ids(useWatchedQuerySubscription(given).data);
  const Suspending = (): string => ids(useWatchedQuerySuspenseSubscription(given).data);
  await show(<><Plain /><Suspense fallback="loading"><Suspending /></Suspense></>);
  assert.deepEqual(shown(), ['none', 'loading']);
  await deliver([row('a')]);
  assert.deepEqual(shown(), ['a', 'a']);
  await query.close();
});
