/** Platforms without the native module: web and Expo Go. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { act, create, type ReactTestRenderer } from 'react-test-renderer';
import type * as Package from '../../index';
import { TurboModuleRegistry } from '../fakes/react-native';
import { isSyncError, settled } from './expect';

Object.assign(globalThis, { IS_REACT_ACT_ENVIRONMENT: true });

test('children are rendered, hooks answer, openDatabase refuses, and the console says it once', async () => {
  (TurboModuleRegistry as { get: () => unknown }).get = () => null;
  // A static import would have looked for the module before.
  const { column, openDatabase, Schema, SyncProvider, Table, useDatabase, useQuery, useStatus, useSuspenseQuery, useSyncState } =
    // eslint-disable-next-line @typescript-eslint/no-require-imports -- see above
    require('../../index') as typeof Package;
  const schema = new Schema({ t: new Table({ a: column.text }) });
  const connector = { fetchCredentials: () => Promise.resolve(null) };
  const warnings: unknown[][] = [];
  const { warn } = console;
  console.warn = (...words: unknown[]) => warnings.push(words);
  const errors: unknown[] = [];
  let seen: unknown[] = [];
  let action: () => Promise<void> = () => Promise.resolve();
  function Screen(): string {
    const state = useSyncState();
    const { error, isLoading } = useQuery('SELECT 1');
    action = state.triggerSync;
    assert.ok(isSyncError(error, 'Unsupported'));
    seen = [state.isSupported, state.status, state.error, useDatabase(), isLoading, useStatus().status, useSuspenseQuery('SELECT 1').data];
    return 'screen';
  }
  try {
    for (let i = 0; i < 2; i++) {
      let app: ReactTestRenderer | undefined;
      await act(async () => {
        app = create(
          <SyncProvider schema={schema} connector={connector} userId="u" fallback="splash" onError={(e) => errors.push(e)}><Screen /></SyncProvider>
        );
        await settled();
      });
      assert.equal(app?.toJSON(), 'screen');
    }
  } finally {
    console.warn = warn;
  }
  assert.deepEqual(seen, [false, 'offline', null, null, false, 'offline', []]);
  assert.deepEqual([warnings.length, errors.length], [1, 0]);
  assert.match(String(warnings[0]), /Expo Go/);
  await assert.rejects(openDatabase({ schema, userId: 'u', connector }), (e) => isSyncError(e, 'Unsupported'));
  await assert.rejects(action(), (e) => isSyncError(e, 'Unsupported'));
});
