/** Letting go of the file for iOS, with the real engine: what is asked meanwhile waits, and syncing goes on afterwards. */
import { Platform } from 'react-native';
import { act } from 'react-test-renderer';
import { changeAppState } from '../../../scripts/host/react-native';
import { assert, cleanup, sleep, test, until } from '../../../scripts/host/harness';
import { supabaseConnector } from '../../index';
import { device, nameOf, quiet, schema, signUp, startServer } from './backend';
import { mount } from './mount';
import { insertEntity, open, syncError, temporaryDirectory } from './setup';

test('reads and writes wait for resume, both calls may be repeated, and nothing is lost', async () => {
  const directory = temporaryDirectory();
  const db = await open({ directory });
  await insertEntity(db, 'a');
  await db.prepareForSuspend();
  await db.prepareForSuspend();
  const done: string[] = [];
  const write = insertEntity(db, 'b').then(() => done.push('write'));
  const read = db.getAll('SELECT id FROM sync_entities').then(() => done.push('read'));
  await sleep(100);
  assert.deepEqual(done, []);
  await db.resume();
  await Promise.all([write, read]);
  await db.resume();
  assert.deepEqual((await db.getAll<{ id: string }>('SELECT id FROM sync_entities ORDER BY id')).map(({ id }) => id), ['a', 'b']);
  assert.equal(db.currentStatus.pendingChanges, 2);
  await db.close();
  assert.equal((await open({ directory })).currentStatus.pendingChanges, 2);
});

test('closed while suspended, what waited is Closed; signed out while suspended, the file is deleted', async () => {
  const directory = temporaryDirectory();
  const db = await open({ directory });
  await db.prepareForSuspend();
  const waiting = assert.rejects(db.getAll('SELECT 1'), syncError('Closed'));
  await db.close();
  await waiting;
  const again = await open({ directory });
  await again.prepareForSuspend();
  assert.deepEqual(await again.signOut({ onSignOut: 'clear', timeoutMs: 100 }), { cleared: true });
});

test('iOS: SyncProvider suspends in the background and syncs when the app is back', async () => {
  const platform = Platform as { OS: string };
  platform.OS = 'ios';
  cleanup(() => { platform.OS = 'android'; });
  const account = await signUp(await startServer());
  const connector = supabaseConnector(account.supabase, { baseUrl: account.baseUrl });
  const errors: string[] = [];
  const { database, waitFor } = mount({
    schema, userId: account.userId, directory: temporaryDirectory(), sync: quiet, connector, onError: ({ code }) => errors.push(code),
  });
  await waitFor(({ status }) => status === 'synced', 'the first round');
  const b = await device(account);
  const id = crypto.randomUUID();
  await insertEntity(b, id, 'meanwhile');
  await b.triggerSync();
  const db = database();
  assert.ok(db);
  await act(async () => { changeAppState('inactive'); changeAppState('background'); await sleep(50); });
  let answered = false;
  const read = nameOf(db, id).then(() => { answered = true; });
  await sleep(50);
  assert.equal(answered, false, 'suspended');
  await act(async () => { changeAppState('inactive'); changeAppState('active'); await sleep(0); });
  await read;
  await until(() => nameOf(db, id), 'the row of the other device');
  assert.deepEqual(errors, []);
});
