/** SyncProvider and its hooks with React's test renderer, against the fake native module. */
import assert from 'node:assert/strict';
import { afterEach, beforeEach, test } from 'node:test';
import { StrictMode } from 'react';
import { act, create } from 'react-test-renderer';
import { column, getConnector, Schema, type SyncError, Table } from '../../index';
import { fake, nativeError } from '../fakes/native';
import { consoleErrors, isSyncError, settled } from './expect';
import { calls, database, makeSchema, methods, Probe, reset, show, state, states, tree, unmount, unmountAndCheck } from './mounted';

beforeEach(reset);
afterEach(unmountAndCheck);

test('opens, connects, shows the state, closes', async () => {
  await show(tree({}));
  assert.deepEqual(calls('open', 'connect').length, 2);
  assert.equal(states()[0]?.isInitialized, false);
  assert.equal(state().isInitialized, true);
  assert.equal(state().status, 'connecting');
  assert.ok(database());
  assert.equal(typeof getConnector().health, 'function');
  await act(async () => {
    fake.setStatus(fake.openIds()[0] ?? 0, {
      status: 'syncing', connected: true, connecting: false, downloading: true, pendingChanges: 3, parkedChanges: 2, lastSyncedAt: 5,
    });
  });
  const { isConnected, isSyncing, status, pendingChanges, parkedChanges, lastSyncedAt, error } = state();
  assert.deepEqual(
    [isConnected, isSyncing, status, pendingChanges, parkedChanges, lastSyncedAt, error],
    [true, true, 'syncing', 3, 2, new Date(5), null]
  );
  await act(async () => {
    await state().triggerSync();
    await state().disconnect();
    await state().clearAndReconnect();
  });
  assert.equal(calls('triggerSync', 'disconnect', 'clearAndReconnect').length, 3);
});

test('outside a provider the hooks say so', async () => {
  await consoleErrors(() => {
    assert.throws(() => { act(() => { create(<Probe />); }); }, { message: 'useSyncState must be used within a SyncProvider' });
  });
});

test('snapshots are stable: rendering again gives the same object and the same actions', async () => {
  await show(tree({}));
  const before = state();
  const count = states().length;
  await show(tree({}));
  assert.equal(state(), before);
  await act(async () => { fake.setStatus(fake.openIds()[0] ?? 0, {}); });
  assert.equal(states().length, count + 1, 'an event without a change renders nothing');
  await act(async () => { fake.setStatus(fake.openIds()[0] ?? 0, { pendingChanges: 1 }); });
  assert.notEqual(state(), before);
  assert.equal(state().triggerSync, before.triggerSync);
});

test('StrictMode: one database stays open', async () => {
  await show(<StrictMode>{tree({})}</StrictMode>);
  assert.equal(state().isInitialized, true);
  assert.equal(state().error, null);
  assert.equal(fake.openIds().length, 1);
  assert.equal(calls('open').length, 1, 'the first of the two effects never reaches the engine');
});

test('unmounting while opening leaves nothing open, and the successor opens after that', async () => {
  let release = (): void => undefined;
  fake.hold.open = new Promise<void>((resolve) => { release = resolve; });
  await show(tree({}));
  assert.deepEqual(calls('open', 'close'), ['open']);
  await unmount();
  await show(tree({}));
  assert.deepEqual(calls('open', 'close'), ['open'], 'waits for the first to be closed');
  release();
  await act(settled);
  assert.deepEqual(methods('open', 'close'), ['open', 'close', 'open']);
  assert.equal(calls('connect').length, 1, 'the first was never connected');
  assert.equal(state().error, null);
  assert.equal(state().isInitialized, true);
});

test('another key mounts a second provider before the first is unmounted: no AlreadyOpen', async () => {
  await show(<div>{tree({})}</div>);
  await show(<p>{tree({})}</p>);
  assert.equal(state().error, null);
  assert.equal(fake.openIds().length, 1);
});

test('another user: the first one is signed out before the second is opened', async () => {
  await show(tree({ userId: 'one' }));
  const before = database();
  await show(tree({ userId: 'two' }));
  assert.deepEqual(methods('open', 'signOut', 'close'), ['open', 'signOut', 'open']);
  assert.notEqual(database(), before);
  assert.equal(fake.optionsOf(fake.openIds()[0] ?? 0)?.userId, 'two');
});

test('signing out closes; actions are NotOpen; signing in opens again', async () => {
  await show(tree({ userId: undefined }));
  assert.deepEqual([state().isInitialized, state().status, database()], [false, 'offline', null]);
  await assert.rejects(state().triggerSync(), (e) => isSyncError(e, 'NotOpen'));
  await show(tree({ userId: 'u' }));
  assert.equal(state().isInitialized, true);
  await show(tree({ userId: null }));
  assert.deepEqual([state().isInitialized, state().status, state().pendingChanges, database()], [false, 'offline', 0, null]);
  assert.deepEqual(fake.openIds(), []);
});

test('connectors and schemas made inline do not reopen; the latest connector is asked', async () => {
  for (const token of ['a', 'b', 'c']) {
    await show(
      tree({
        schema: makeSchema(),
        sync: { pageLimit: 10 },
        connector: { fetchCredentials: () => Promise.resolve({ endpoint: 'http://h', token }) },
      })
    );
  }
  assert.equal(calls('open').length, 1);
  const { credentials } = await fake.requestCredentials(fake.openIds()[0] ?? 0);
  assert.match(credentials, /"token":"c"/);
});

test('a file to import and a key are handed on, and what they become counts at the next opening', async () => {
  await show(tree({ importFrom: 'old.db', encryptionKey: 'a' }));
  await show(tree({ importFrom: 'old.db', encryptionKey: 'b' }));
  const given = (): unknown[] => {
    const options = fake.optionsOf(fake.openIds()[0] ?? 0);
    return [calls('open').length, options?.importFrom, options?.encryptionKey];
  };
  assert.deepEqual(given(), [1, 'old.db', { passphrase: 'a' }]);
  await show(tree({ encryptionKey: 'b', directory: '/d' }));
  assert.deepEqual(given(), [2, undefined, { passphrase: 'b' }]);
});

test('nothing is opened before a key that is null has been read, and one that goes again ends nothing', async () => {
  await show(tree({ encryptionKey: null }));
  assert.deepEqual([calls('open').length, state().isInitialized, state().error], [0, false, null]);
  await show(tree({ encryptionKey: 'a' }));
  assert.deepEqual(fake.optionsOf(fake.openIds()[0] ?? 0)?.encryptionKey, { passphrase: 'a' });
  await show(tree({ encryptionKey: null }));
  assert.deepEqual([calls('open').length, calls('close').length], [1, 0]);
  await show(tree({ encryptionKey: null, directory: '/d' }));
  assert.deepEqual([calls('open').length, state().error?.code], [1, 'InvalidOptions'], 'opened anew without it, the file would be plain');
  await show(tree({ userId: 'v', encryptionKey: null }));
  assert.deepEqual([calls('open').length, state().error], [1, null], 'the next user has a key of his own');
});

test('another declaration, directory or sync option reopens', async () => {
  await show(tree({}));
  await show(tree({ schema: new Schema({ t: new Table({ a: column.text, b: column.real }) }) }));
  await show(tree({ directory: '/d' }));
  await show(tree({ directory: '/d', sync: { pageLimit: 5 } }));
  assert.deepEqual([calls('open').length, calls('close').length], [4, 3]);
});

test('an error of opening is in the state and given to onError, and another user gets a new chance', async () => {
  const errors: SyncError[] = [];
  const onError = (error: SyncError): void => { errors.push(error); };
  fake.fail.open = nativeError('Unwritable', 'the directory /d can not be written');
  await show(tree({ onError }));
  const { error, status, isInitialized } = state();
  assert.ok(isSyncError(error, 'Unwritable', '/d'));
  assert.deepEqual([status, isInitialized, errors], ['error', false, [error]]);
  await show(tree({ onError, userId: 'two' }));
  assert.deepEqual([state().error, state().isInitialized], [null, true]);
});

test('wrong props are errors in the state, not crashes; a throwing onError is reported', async () => {
  const errors = await consoleErrors(async () => {
    for (const props of [{ schema: undefined }, { connector: undefined }, { connector: {} }, { userId: '' }, { userId: 5 }, { sync: 5 }, { onSignOut: 'burn' }]) {
      await show(tree({ ...(props as object), onError: () => { throw new Error('mine'); } }));
      assert.ok(isSyncError(state().error, 'InvalidOptions', Object.keys(props)[0] ?? ''));
    }
  });
  assert.equal(errors.length, 7);
});
