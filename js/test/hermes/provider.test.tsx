/** SyncProvider and its hooks with React's renderer on Hermes, against the real engine without a backend. */
import { type ReactElement, StrictMode } from 'react';
import { act, create, type ReactTestRenderer } from 'react-test-renderer';
import { assert, cleanup, sleep, test, until } from '../../../scripts/host/harness';
import { type Database, getConnector, type SyncErrorCode, SyncProvider, type SyncProviderProps, type SyncState, useDatabase, useSyncState } from '../../index';
import { insertEntity, open, schema, syncError, temporaryDirectory, unreachable } from './setup';

Object.assign(globalThis, { IS_REACT_ACT_ENVIRONMENT: true });

/** Renders a provider; `state()` and `database()` are what the last render saw. */
function mount(first: Partial<SyncProviderProps>, strict = false) {
  const seen: { state: SyncState; database: Database | null }[] = [];
  function Probe(): null {
    seen.push({ state: useSyncState(), database: useDatabase() });
    return null;
  }
  const last = () => {
    const latest = seen.at(-1);
    assert.ok(latest, 'nothing was rendered');
    return latest;
  };
  const tree = (props: Partial<SyncProviderProps>): ReactElement => {
    const provider = (
      <SyncProvider schema={schema} connector={unreachable} userId="user-1" {...props}>
        <Probe />
      </SyncProvider>
    );
    return strict ? <StrictMode>{provider}</StrictMode> : provider;
  };
  let app: ReactTestRenderer | null = null;
  act(() => { app = create(tree(first)); });
  const unmount = (): void => {
    act(() => { app?.unmount(); });
    app = null;
  };
  cleanup(unmount);
  return {
    state: () => last().state,
    database: () => last().database,
    insert: async (id: string): Promise<void> => {
      const { database } = last();
      assert.ok(database, 'no database');
      await act(async () => { await insertEntity(database, id); });
    },
    unmount,
    update: (props: Partial<SyncProviderProps>) => {
      act(() => { app?.update(tree({ ...first, ...props })); });
    },
    /** Lets the engine work, with React listening, until the state is so. */
    waitFor: async (condition: (state: SyncState) => boolean, what: string): Promise<void> => {
      const deadline = Date.now() + 10_000;
      while (!condition(last().state)) {
        assert.ok(Date.now() < deadline, `waited in vain: ${what}; the state is ${JSON.stringify(last().state)}`);
        await act(() => sleep(5));
      }
    },
  };
}

/** No database is open any more: the same file can be opened by hand. */
const isFree = (directory: string, userId = 'user-1') =>
  until(async () => {
    try {
      await (await open({ directory, userId })).close();
      return true;
    } catch (error) {
      return !syncError('AlreadyOpen')(error);
    }
  }, 'the file to be closed');

for (const strict of [false, true]) {
  test(`opens, connects, counts writes, closes${strict ? ' (StrictMode)' : ''}`, async () => {
    const directory = temporaryDirectory();
    const { state, database, insert, waitFor, unmount } = mount({ directory }, strict);
    assert.equal(state().isInitialized, false);
    await waitFor(({ isInitialized }) => isInitialized, 'the database to be open');
    await insert('a');
    await waitFor(({ pendingChanges }) => pendingChanges === 1, 'one pending change');
    await waitFor(({ error }) => error?.code === 'Network', 'the unreachable backend to be noticed');
    assert.deepEqual([state().isConnected, state().status], [false, 'offline']);
    assert.deepEqual(await getConnector().fetchCredentials(), await unreachable.fetchCredentials());
    const before = database();
    assert.ok(before);
    unmount();
    await isFree(directory);
    await assert.rejects(before.getAll('SELECT 1'), syncError('Closed'));
  });
}

test('mounting and unmounting in quick succession leaves nothing open and never meets AlreadyOpen', async () => {
  const directory = temporaryDirectory();
  const errors: SyncErrorCode[] = [];
  for (let i = 0; i < 5; i++) {
    mount({ directory, onError: ({ code }) => errors.push(code) }).unmount();
    await sleep(i);
  }
  const { waitFor, unmount } = mount({ directory, onError: ({ code }) => errors.push(code) });
  await waitFor(({ isInitialized }) => isInitialized, 'the last one to be open');
  unmount();
  await isFree(directory);
  assert.deepEqual(errors, []);
});

test('another user sees another database; signing out closes', async () => {
  const directory = temporaryDirectory();
  const { state, database, insert, waitFor, update } = mount({ directory, userId: 'one' });
  await waitFor(({ isInitialized }) => isInitialized, "the first user's database");
  await insert('a');
  update({ userId: 'two' });
  assert.equal(database(), null);
  await waitFor(({ isInitialized }) => isInitialized, "the second user's database");
  assert.deepEqual(await database()?.getAll('SELECT id FROM sync_entities'), []);
  assert.equal(state().pendingChanges, 0);
  update({ userId: null });
  assert.deepEqual([state().isInitialized, state().status, database()], [false, 'offline', null]);
  await isFree(directory, 'two');
  update({ userId: 'one' });
  await waitFor(({ pendingChanges }) => pendingChanges === 1, "the first user's pending change is still there");
});

test('an error of opening is in the state', async () => {
  const directory = temporaryDirectory();
  __host.writeFile(`${directory}/file`, '');
  const errors: SyncErrorCode[] = [];
  const { state, waitFor } = mount({ directory: `${directory}/file/below`, onError: ({ code }) => errors.push(code) });
  await waitFor(({ error }) => error !== null, 'an error');
  assert.deepEqual([state().error?.code, state().status, state().isInitialized, errors], ['Unwritable', 'error', false, ['Unwritable']]);
});
