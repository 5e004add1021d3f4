/** SyncProvider and its hooks with React's renderer on Hermes, against the real engine without a backend. */
import { assert, sleep, test } from '../../../scripts/host/harness';
import { getConnector, type SyncErrorCode } from '../../index';
import { isFree, mount } from './mount';
import { syncError, temporaryDirectory, unreachable } from './setup';

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
