/** The whole way against the real backend: supabase-js signs in, the engine syncs, a second device sees it. */
import { createClient } from '@supabase/supabase-js';
import { assert, test, until } from '../../../scripts/host/harness';
import { getConnector, supabaseConnector, type SyncStatus } from '../../index';
import { type Account, device, nameOf, quiet, schema, signUp, startServer } from './backend';
import { insertEntity, open, syncError, temporaryDirectory } from './setup';

test('a write reaches the backend, comes back as proof, and reaches a second device', async () => {
  const account = await signUp(await startServer());
  const [a, b] = [await device(account), await device(account)];
  const id = crypto.randomUUID();
  const tables: string[] = [];
  b.registerListener({ tablesChanged: (changed) => tables.push(...changed) });
  await a.execute('INSERT INTO sync_entities (id, entity_type, name, source_id, properties) VALUES (?, ?, ?, ?, ?)', [
    id,
    'task',
    'grüße 🚀',
    null,
    JSON.stringify({ tags: ['ä', 1, null] }),
  ]);
  assert.equal(a.currentStatus.pendingChanges, 1);
  await a.triggerSync();
  const { pendingChanges, parkedChanges, hasSynced } = a.currentStatus;
  assert.deepEqual([pendingChanges, parkedChanges, hasSynced], [0, 0, true]);
  assert.ok(a.currentStatus.lastSyncedAt instanceof Date);
  await b.triggerSync();
  const row = await b.get<{ name: string; properties: string }>('SELECT name, properties FROM sync_entities WHERE id = ?', [id]);
  assert.equal(row.name, 'grüße 🚀');
  assert.deepEqual(JSON.parse(row.properties), { tags: ['ä', 1, null] });
  assert.deepEqual(tables, ['sync_entities']);
});

test('connected, a write goes up by itself, and the status tells the story in order', async () => {
  const account = await signUp(await startServer());
  const a = await device(account, { pollIntervalMs: 3_600_000, uploadThrottleMs: 20 });
  const seen: SyncStatus['status'][] = [];
  a.registerListener({
    statusChanged: ({ status }) => {
      if (seen.at(-1) !== status) seen.push(status);
    },
  });
  await a.connect();
  await until(() => a.currentStatus.status === 'synced', 'synced');
  assert.equal(seen[0], 'connecting');
  assert.equal(seen.at(-1), 'synced');
  await insertEntity(a, crypto.randomUUID());
  await until(() => a.currentStatus.pendingChanges === 0, 'the upload');
  await a.disconnect();
  await until(() => a.currentStatus.status === 'offline', 'offline');
});

test('an expired token is replaced during a session, once', async () => {
  // Signed in before, with a token that is good for two seconds only.
  const account = await signUp(await startServer('--token-lifetime-s', '2'));
  const connector = supabaseConnector(account.supabase, { baseUrl: account.baseUrl });
  const tokens: (string | undefined)[] = [];
  const a = await open({
    schema,
    userId: account.userId,
    sync: quiet,
    connector: {
      fetchCredentials: async (hint) => {
        const credentials = await connector.fetchCredentials(hint);
        tokens.push(credentials?.token);
        // not told, so that only the backend's refusal shows that it has expired
        return credentials && { endpoint: credentials.endpoint, token: credentials.token };
      },
    },
  });
  await a.triggerSync();
  assert.equal(tokens.length, 1);
  await new Promise((resolve) => setTimeout(resolve, 2_200));
  await insertEntity(a, crypto.randomUUID());
  await a.triggerSync();
  assert.equal(a.currentStatus.pendingChanges, 0);
  assert.equal(tokens.length, 2, 'asked once more');
  assert.ok(tokens[0] !== tokens[1]);
});

test('a token the backend refuses is Unauthorized, and signing in again is the way out', async () => {
  const url = await startServer();
  const account = await signUp(url);
  let token = 'rubbish';
  const a = await open({
    schema,
    userId: account.userId,
    sync: quiet,
    connector: { fetchCredentials: () => Promise.resolve({ endpoint: `${url}/api/powersync`, token }) },
  });
  await assert.rejects(a.triggerSync(), syncError('Unauthorized'));
  assert.equal(a.currentStatus.status, 'error');
  token = (await account.supabase.auth.getSession()).data.session?.access_token ?? '';
  await a.triggerSync();
  assert.equal(a.currentStatus.error, null);
});

test('the connector object: health, a raw page that changes nothing, populate, uploadData', async () => {
  const account = await signUp(await startServer());
  const a = await device(account);
  const connector = getConnector();
  assert.equal(connector, getConnector());
  assert.equal((await connector.health())['userId'], account.userId);
  assert.equal((await connector.populate())['success'], true);
  const page = await connector.fetchChanges();
  assert.ok((page.changes['sync_entities'] ?? []).length > 0);
  assert.equal(typeof page.timestamp, 'string');
  assert.equal((await a.get<{ n: number }>('SELECT count(*) AS n FROM sync_entities')).n, 0);
  assert.deepEqual((await connector.fetchChanges(new Date(Date.now() + 60_000).toISOString())).changes['sync_entities'], []);
  const id = crypto.randomUUID();
  await insertEntity(a, id, 'pushed alone');
  await connector.uploadData();
  const b = await device(account);
  await b.triggerSync();
  assert.equal(await nameOf(b, id), 'pushed alone');
});

test('another user sees nothing of the first, on the backend or in a file', async () => {
  const url = await startServer();
  const [ada, bob] = [await signUp(url), await signUp(url)];
  const directory = temporaryDirectory();
  const on = ({ supabase, userId }: Account) =>
    open({ schema, userId, directory, sync: quiet, connector: supabaseConnector(supabase, { baseUrl: url }) });
  const first = await on(ada);
  await insertEntity(first, crypto.randomUUID(), 'secret');
  await first.triggerSync();
  const second = await on(bob);
  await second.triggerSync();
  assert.equal((await second.get<{ n: number }>('SELECT count(*) AS n FROM sync_entities')).n, 0);
});

test('clearAndReconnect fetches everything again and keeps a pending change', async () => {
  const account = await signUp(await startServer());
  const connector = supabaseConnector(account.supabase, { baseUrl: account.baseUrl });
  let signedIn = true;
  const a = await open({
    schema,
    userId: account.userId,
    // each question is asked anew, so that signing out shows at once
    sync: { ...quiet, maxBackoffMs: 3_600_000 },
    connector: {
      fetchCredentials: async (hint) => {
        const credentials = signedIn ? await connector.fetchCredentials(hint) : null;
        return credentials && { ...credentials, expiresAt: new Date(0) };
      },
    },
  });
  const [kept, pending] = [crypto.randomUUID(), crypto.randomUUID()];
  await insertEntity(a, kept, 'synced');
  await a.triggerSync();
  signedIn = false;
  await insertEntity(a, pending, 'pending');
  await a.clearAndReconnect();
  assert.deepEqual([await nameOf(a, kept), await nameOf(a, pending)], [undefined, 'pending']);
  assert.equal(a.currentStatus.pendingChanges, 1);
  signedIn = true;
  await a.triggerSync();
  assert.deepEqual([await nameOf(a, kept), await nameOf(a, pending)], ['synced', 'pending']);
  assert.equal(a.currentStatus.pendingChanges, 0);
});

test('closing in the middle of a first sync answers everyone', async () => {
  const url = await startServer('--seed', '20000');
  const supabase = createClient(url, 'anon', { auth: { persistSession: false, autoRefreshToken: false } });
  const { data } = await supabase.auth.signInWithPassword({ email: 'demo@omnii.dev', password: 'omnii-demo' });
  assert.ok(data.user);
  const directory = temporaryDirectory();
  const options = { schema, userId: data.user.id, directory, sync: quiet, connector: supabaseConnector(supabase, { baseUrl: url }) };
  const a = await open(options);
  const events: string[] = [];
  a.registerListener({ tablesChanged: () => events.push('change') });
  const round = a.triggerSync();
  const refused = assert.rejects(round, syncError('Closed'));
  await until(() => events.length > 0, 'the first page');
  await a.close();
  await refused;
  const before = events.length;
  const again = await open(options);
  await again.triggerSync();
  assert.equal((await again.get<{ n: number }>('SELECT count(*) AS n FROM sync_entities')).n, 14_000);
  assert.equal(events.length, before, 'a closed database tells nothing');
});
