/** What wakes the engine: the foreground, the network, new credentials. Everything else would take an hour here. */
import { AppState } from 'react-native';
import { act } from 'react-test-renderer';
import { changeAppState } from '../../../scripts/host/react-native';
import { assert, sleep, test, until } from '../../../scripts/host/harness';
import { type Credentials, type CredentialsChange, notifyNetworkRegained, supabaseConnector, type SyncProviderProps } from '../../index';
import { type Account, device, nameOf, quiet, schema, signUp, startServer } from './backend';
import { mount } from './mount';
import { insertEntity, open, temporaryDirectory } from './setup';

const slow = { ...quiet, maxBackoffMs: 3_600_000 };

const props = ({ supabase, userId, baseUrl }: Account): Partial<SyncProviderProps> => ({
  schema, userId, directory: temporaryDirectory(), sync: slow, connector: supabaseConnector(supabase, { baseUrl }),
});

test('coming to the foreground fetches what was missed, without a failing call; told to stop, it does not', async () => {
  const account = await signUp(await startServer());
  const { database, state, waitFor } = mount(props(account));
  await waitFor(({ status }) => status === 'synced', 'the first round');
  const b = await device(account);
  const [first, second] = [crypto.randomUUID(), crypto.randomUUID()];
  await insertEntity(b, first, 'first');
  await b.triggerSync();
  const db = database();
  assert.ok(db);
  assert.equal(AppState.currentState, 'active');
  await act(async () => { changeAppState('background'); changeAppState('active'); await sleep(0); });
  await until(() => nameOf(db, first), 'the row of the other device');
  await act(() => state().disconnect());
  await insertEntity(b, second, 'second');
  await b.triggerSync();
  await act(async () => { changeAppState('background'); changeAppState('active'); await sleep(100); });
  assert.equal(await nameOf(db, second), undefined);
  assert.equal(state().error, null);
});

test('the background makes polls rare, the foreground frequent; the status says so', async () => {
  const account = await signUp(await startServer());
  const { database, waitFor } = mount(props(account));
  await waitFor(({ status }) => status === 'synced', 'the first round');
  const db = database();
  assert.ok(db);
  assert.equal(db.currentStatus.syncFrequency, 'active');
  await act(async () => { changeAppState('background'); await sleep(0); });
  await until(() => db.currentStatus.syncFrequency === 'background', 'rare polls');
  await act(async () => { changeAppState('active'); await sleep(0); });
  await until(() => db.currentStatus.syncFrequency === 'active', 'frequent polls');
});

test('a regained network is tried at once', async () => {
  const account = await signUp(await startServer());
  const real = supabaseConnector(account.supabase, { baseUrl: account.baseUrl });
  let online = false;
  const fetchCredentials = async (): Promise<Credentials | null> => {
    const credentials = await real.fetchCredentials();
    return credentials && (online ? credentials : { ...credentials, endpoint: 'http://127.0.0.1:9/api/powersync' });
  };
  // Each question is asked anew, so that the change of the endpoint is seen.
  const connector = { fetchCredentials: async () => ({ ...(await fetchCredentials()), expiresAt: new Date(0) }) as Credentials };
  const db = await open({ schema, userId: account.userId, sync: slow, connector });
  await db.connect();
  await until(() => db.currentStatus.error?.code === 'Network', 'a Network error');
  online = true;
  await notifyNetworkRegained();
  await until(() => db.currentStatus.status === 'synced', 'synced');
});

test('signing in wakes an engine that nobody was signed in for', async () => {
  const account = await signUp(await startServer());
  const real = supabaseConnector(account.supabase, { baseUrl: account.baseUrl });
  let signedIn = false;
  let tell: (change?: CredentialsChange) => void = () => { throw new Error('nobody listens'); };
  const db = await open({
    schema,
    userId: account.userId,
    sync: slow,
    connector: {
      fetchCredentials: (hint) => (signedIn ? real.fetchCredentials(hint) : Promise.resolve(null)),
      subscribe: (onChanged) => {
        tell = onChanged;
        return () => undefined;
      },
    },
  });
  await db.connect();
  await until(() => db.currentStatus.error?.code === 'NoCredentials', 'NoCredentials');
  signedIn = true;
  tell({ userId: account.userId });
  await until(() => db.currentStatus.status === 'synced', 'synced');
});

test('supabase’s own refresh hands the engine the new token once, and the engine’s refreshes make no loop', async () => {
  const account = await signUp(await startServer());
  const real = supabaseConnector(account.supabase, { baseUrl: account.baseUrl });
  let questions = 0;
  const db = await open({
    schema,
    userId: account.userId,
    sync: slow,
    connector: { ...real, fetchCredentials: (hint) => { questions += 1; return real.fetchCredentials(hint); } },
  });
  await db.connect();
  await until(() => db.currentStatus.status === 'synced', 'synced');
  assert.equal(questions, 1);
  // Tokens are made of seconds: another one begins.
  await sleep(1_100);
  await account.supabase.auth.refreshSession();
  await until(() => questions > 1, 'the engine to ask again');
  await sleep(300);
  assert.equal(questions, 2);
  assert.equal(db.currentStatus.error, null);
});
