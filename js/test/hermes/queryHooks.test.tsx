/** The query hooks, and the unmodified `@powersync/react` from npm, on Hermes over the real engine. */
import * as theirs from '@powersync/react';
import { type ContextType, memo, type ReactElement, type ReactNode, StrictMode, Suspense } from 'react';
import { act, create, type ReactTestRenderer } from 'react-test-renderer';
import { assert, cleanup, sleep, test } from '../../../scripts/host/harness';
import { type Database, SyncProvider, useDatabase, useQuery, useStatus, useSuspenseQuery } from '../../index';
import { PowerSyncContext } from '../../powersync';
import { insertEntity, open, schema, temporaryDirectory, unreachable } from './setup';

Object.assign(globalThis, { IS_REACT_ACT_ENVIRONMENT: true });
type Entity = { id: string; name: string };
const all = 'SELECT id, name FROM sync_entities ORDER BY id';

function render(first: ReactElement) {
  let app: ReactTestRenderer | null = null;
  act(() => { app = create(first); });
  cleanup(() => { act(() => { app?.unmount(); }); });
  const shown = (): string => JSON.stringify(app?.toJSON());
  return {
    shown,
    update: (next: ReactElement) => { act(() => { app?.update(next); }); },
    until: async (condition: () => boolean, what: string): Promise<void> => {
      const deadline = Date.now() + 10_000;
      while (!condition()) {
        assert.ok(Date.now() < deadline, `waited in vain: ${what}; shown is ${shown()}`);
        await act(() => sleep(5));
      }
    },
  };
}

const names = (rows: readonly Entity[]): string => rows.map(({ name }) => name).join();
const writing = (db: Database, sql: string, params: string[]) => act(async () => { await db.execute(sql, params); });

for (const strict of [false, true]) {
  test(`a list of 50 memoised rows follows writes and renders only what changed${strict ? ' (StrictMode)' : ''}`, async () => {
    const db = await open();
    for (let i = 10; i < 60; i++) {
      await insertEntity(db, `id${i}`, `name${i}`);
    }
    let renders: string[] = [];
    const Item = memo(function Item({ item }: { item: Entity }): string {
      renders.push(item.id);
      return item.name;
    });
    const List = (): ReactNode => useQuery<Entity>(all, [], { throttleMs: 0 }).data.map((item) => <Item key={item.id} item={item} />);
    const list = <PowerSyncContext.Provider value={db}><List /></PowerSyncContext.Provider>;
    const { shown, until } = render(strict ? <StrictMode>{list}</StrictMode> : list);
    await until(() => shown().includes('name59'), 'the list');
    renders = [];
    await writing(db, 'UPDATE sync_entities SET name = ? WHERE id = ?', ['changed', 'id33']);
    await until(() => shown().includes('changed'), 'the update');
    assert.deepEqual([...new Set(renders)], ['id33']);
    assert.equal(renders.length, strict ? 2 : 1);
    renders = [];
    await writing(db, 'DELETE FROM sync_entities WHERE id = ?', ['id34']);
    await until(() => !shown().includes('name34'), 'the deletion');
    assert.deepEqual(renders, []);
  });
}

test('parameters, suspense, and another user in the middle', async () => {
  const directory = temporaryDirectory();
  const seen: { user: string; rows: string; db: Database | null }[] = [];
  function Screen({ user, name }: { user: string; name: string }): string {
    const { data, isLoading } = useQuery<Entity>('SELECT id, name FROM sync_entities WHERE name >= ? ORDER BY id', [name]);
    seen.push({ user, rows: names(data), db: useDatabase() });
    const { pendingChanges } = useStatus();
    return isLoading ? 'loading' : `${pendingChanges}:${names(data)}`;
  }
  const Waiting = (): string => names(useSuspenseQuery<Entity>(all).data);
  const tree = (user: string, name = 'a') => (
    <SyncProvider schema={schema} connector={unreachable} userId={user} directory={directory} onSignOut="keep">
      <Screen user={user} name={name} /><Suspense fallback="waiting"><Waiting /></Suspense>
    </SyncProvider>
  );
  const { shown, update, until } = render(tree('one'));
  assert.equal(shown(), '["loading","waiting"]');
  await until(() => seen.at(-1)?.db !== null && !shown().includes('waiting'), 'the first user');
  const { db } = seen.at(-1) ?? {};
  assert.ok(db);
  await act(async () => { await insertEntity(db, '1', 'apple'); await insertEntity(db, '2', 'berry'); });
  await until(() => shown() === '["2:apple,berry","apple,berry"]', 'the rows');
  update(tree('one', 'b'));
  await until(() => shown() === '["2:berry","apple,berry"]', 'the other parameters');
  const before = seen.length;
  update(tree('two'));
  await until(() => { const d = seen.at(-1)?.db; return d !== null && d !== db && !shown().includes('waiting'); }, 'the second user');
  assert.ok(seen.slice(before).every(({ rows }) => rows === ''), 'rows of the user before were shown');
});

test('@powersync/react as it comes from npm: useQuery of all kinds, useSuspenseQuery, useStatus', async () => {
  const db = await open();
  await insertEntity(db, '1', 'apple');
  const given = db as unknown as NonNullable<ContextType<typeof theirs.PowerSyncContext>>;
  const rowComparator = { keyBy: (row: Entity) => row.id, compareBy: (row: Entity) => JSON.stringify(row) };
  const built = { compile: () => ({ sql: all, parameters: [] }), execute: () => db.getAll<Entity>(all) };
  const kept = new Set<unknown>();
  let refresh: ((signal?: AbortSignal) => Promise<void>) | undefined;
  function Screen(): string {
    const plain = theirs.useQuery<Entity>(all);
    const quiet = theirs.useQuery<Entity>(all, [], { reportFetching: false, throttleMs: 1 });
    const compared = theirs.useQuery<Entity>(all, [], { rowComparator });
    const builder = theirs.useQuery<Entity>(built);
    const once = theirs.useQuery<Entity>(all, [], { runQueryOnce: true });
    ({ refresh } = once);
    const suspended = theirs.useSuspenseQuery<Entity>(all);
    kept.add(compared.data.find(({ id }) => id === '1'));
    const { connected, hasSynced } = theirs.useStatus();
    return [plain, quiet, compared, builder, once, suspended].map(({ data }) => names(data)).join('|') + `|${connected}|${hasSynced}`;
  }
  const { shown, until } = render(
    <StrictMode>
      <theirs.PowerSyncContext.Provider value={given}>
        <Suspense fallback="waiting"><Screen /></Suspense>
      </theirs.PowerSyncContext.Provider>
    </StrictMode>
  );
  assert.equal(shown(), '"waiting"');
  await until(() => shown() === '"apple|apple|apple|apple|apple|apple|false|false"', 'the first rows');
  await act(async () => { await insertEntity(db, '2', 'berry'); });
  const both = 'apple,berry';
  await until(() => shown() === `"${[both, both, both, both, 'apple', both].join('|')}|false|false"`, 'the update');
  kept.delete(undefined);
  assert.equal(kept.size, 1, 'the compared row is one object');
  await act(async () => { await refresh?.(new AbortController().signal); });
  await until(() => shown().startsWith(`"${[both, both, both, both, both, both].join('|')}`), 'the refresh');
});
