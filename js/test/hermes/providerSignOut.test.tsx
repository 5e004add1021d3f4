/** SyncProvider between users, with supabase-js, the real engine and the backend. */
import { act } from 'react-test-renderer';
import { assert, test } from '../../../scripts/host/harness';
import { supabaseConnector, type SyncProviderProps } from '../../index';
import { type Account, device, nameOf, quiet, schema, signUp, startServer } from './backend';
import { isFree, mount } from './mount';
import { temporaryDirectory } from './setup';

const props = ({ supabase, userId, baseUrl }: Account, directory: string): Partial<SyncProviderProps> => ({
  schema, userId, directory, sync: quiet, connector: supabaseConnector(supabase, { baseUrl }),
});

const files = (directory: string): number => __host.list(directory).filter((name) => name.endsWith('.db')).length;

test('the provider’s user changes: what was pending goes up before the next one is opened', async () => {
  const url = await startServer();
  const [ada, bob] = [await signUp(url), await signUp(url)];
  const directory = temporaryDirectory();
  const { insert, database, waitFor, update } = mount(props(ada, directory));
  await waitFor(({ status }) => status === 'synced', 'the first round');
  const id = crypto.randomUUID();
  await insert(id);
  update(props(bob, directory));
  assert.equal(database(), null);
  await waitFor(({ status }) => status === 'synced', 'the second user');
  const other = await device(ada);
  await other.triggerSync();
  assert.equal(await nameOf(other, id), 'n', 'it is on the backend');
  assert.deepEqual(await database()?.getAll('SELECT id FROM sync_entities'), []);
  assert.equal(files(directory), 1, 'ada’s file is gone');
});

test('signed out of supabase first, nothing can be pushed any more: the file waits for the next sign-in', async () => {
  const account = await signUp(await startServer());
  const directory = temporaryDirectory();
  const { insert, state, waitFor, update } = mount(props(account, directory));
  await waitFor(({ status }) => status === 'synced', 'the first round');
  const id = crypto.randomUUID();
  await insert(id);
  const { data } = await account.supabase.auth.getSession();
  await act(async () => { await account.supabase.auth.signOut(); });
  update({ userId: null });
  await isFree(directory, account.userId);
  assert.equal(files(directory), 1);
  await account.supabase.auth.signInWithPassword({ email: data.session?.user.email ?? '', password: 'a long password' });
  update({});
  await waitFor(({ status, pendingChanges }) => status === 'synced' && pendingChanges === 0, 'the upload');
  assert.equal(state().error, null);
  const other = await device(account);
  await other.triggerSync();
  assert.equal(await nameOf(other, id), 'n', 'it is on the backend');
});

test('keep: the file is there for the next sign-in', async () => {
  const account = await signUp(await startServer());
  const directory = temporaryDirectory();
  const { insert, database, waitFor, update } = mount({ ...props(account, directory), onSignOut: 'keep' });
  await waitFor(({ status }) => status === 'synced', 'the first round');
  const id = crypto.randomUUID();
  await insert(id);
  update({ userId: null });
  await waitFor(({ isInitialized }) => !isInitialized, 'signed out');
  assert.equal(files(directory), 1);
  update({});
  await waitFor(({ isInitialized }) => isInitialized, 'signed in again');
  const db = database();
  assert.ok(db);
  assert.equal(await nameOf(db, id), 'n');
});
