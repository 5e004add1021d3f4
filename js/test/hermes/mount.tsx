/** One mounted `SyncProvider` on Hermes, with React's test renderer and the real engine. */
import { type ReactElement, StrictMode } from 'react';
import { act, create, type ReactTestRenderer } from 'react-test-renderer';
import { assert, cleanup, sleep, until } from '../../../scripts/host/harness';
import { type Database, SyncProvider, type SyncProviderProps, type SyncState, useDatabase, useSyncState } from '../../index';
import { insertEntity, open, schema, syncError, unreachable } from './setup';

Object.assign(globalThis, { IS_REACT_ACT_ENVIRONMENT: true });

/** Renders a provider; `state()` and `database()` are what the last render saw. */
export function mount(first: Partial<SyncProviderProps>, strict = false) {
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
export const isFree = (directory: string, userId = 'user-1') =>
  until(async () => {
    try {
      await (await open({ directory, userId })).close();
      return true;
    } catch (error) {
      return !syncError('AlreadyOpen')(error);
    }
  }, 'the file to be closed');
