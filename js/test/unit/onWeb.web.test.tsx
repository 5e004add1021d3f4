/**
 * The package as a web app and a server that renders one have it: bundled with `react-native-web`, strictly, and without the
 * native module. Runs under Node, so `document` is missing, too. The web in a browser is tested with the example app.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ReactElement } from 'react';
import {
  addStatusListener, clearAndReconnect, column, disconnect, getConnector, notifyNetworkRegained, openDatabase, reconcile, resetConnector, Schema,
  SyncProvider, Table, triggerSync, useDatabase, useQuery, useStatus, useSuspenseQuery, useSyncState, waitForFirstSync,
} from '../../index';
import { changeAppState } from '../../jest/react-native';
import { appState, systemName } from '../../reactNative';
import { consoleErrors, isSyncError } from './expect';

// eslint-disable-next-line @typescript-eslint/no-require-imports -- react-dom comes without types
const { renderToString } = require('react-dom/server') as { renderToString: (element: ReactElement) => string };

const schema = new Schema({ t: new Table({ a: column.text }) });
const connector = { fetchCredentials: () => Promise.resolve(null) };

test('a server renders the children: not supported, offline, and nothing on the console', async () => {
  let seen: unknown[] = [];
  function Screen(): string {
    const state = useSyncState();
    const { data, isLoading, error } = useQuery('SELECT 1');
    assert.ok(isSyncError(error, 'Unsupported'));
    seen = [state.isSupported, state.status, state.error, useDatabase(), useStatus().status, data, isLoading, useSuspenseQuery('SELECT 1').data];
    return 'screen';
  }
  let html = '';
  const errors = await consoleErrors(() => {
    html = renderToString(<SyncProvider schema={schema} connector={connector} userId="u" fallback="splash"><Screen /></SyncProvider>);
  });
  assert.equal(html, 'screen');
  assert.deepEqual(seen, [false, 'offline', null, null, 'offline', [], false, []]);
  assert.deepEqual(errors, []);
});

test('what needs a database is refused as Unsupported, and the status stays offline', async () => {
  assert.throws(() => getConnector(), (e) => isSyncError(e, 'Unsupported', 'not on web'));
  for (const call of [triggerSync, disconnect, clearAndReconnect, resetConnector, reconcile, waitForFirstSync, notifyNetworkRegained]) {
    await assert.rejects(call(), (e) => isSyncError(e, 'Unsupported'));
  }
  await assert.rejects(openDatabase({ schema, userId: 'u', connector }), (e) => isSyncError(e, 'Unsupported'));
  const seen: string[] = [];
  addStatusListener(({ status }) => seen.push(status)).remove();
  assert.deepEqual(seen, ['offline']);
});

test('where there is no React Native, the stand-in for unit tests plays the system', () => {
  const seen: string[] = [];
  const subscription = appState()?.addEventListener('change', (state) => seen.push(state));
  changeAppState('background');
  subscription?.remove();
  changeAppState('active');
  assert.deepEqual([systemName(), seen], ['ios', ['background']]);
});
