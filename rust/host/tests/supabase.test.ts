// The real supabase-js against the real server: what an app does to sign in, over the host's fetch.
import { createClient, type SupabaseClient } from '@supabase/supabase-js';
import { assert, cleanup, sleep, test, until } from '../../../scripts/host/harness';

const SERVER = 'OMNII_SERVER';
const PASSWORD = 'correct horse battery';

/** Starts the reference backend with tokens that live `tokenSeconds`. */
async function server(tokenSeconds = 3600): Promise<string> {
  const binary = process.env[SERVER];
  if (!binary) throw new Error(`${SERVER} does not name the server's binary`);
  const lines: string[] = [];
  const child = __host.spawn(binary, ['--port', '0', '--token-lifetime-s', String(tokenSeconds)], {
    onStdout: (line) => lines.push(line),
  });
  cleanup(async () => {
    child.kill();
    await child.exited;
  });
  const first = await until(() => lines[0] ?? '', 'the server to start');
  return (JSON.parse(first) as { url: string }).url;
}

function client(url: string): SupabaseClient {
  return createClient(url, 'anon-key', { auth: { persistSession: false, autoRefreshToken: false } });
}

function email(): string {
  return `${crypto.randomUUID()}@example.com`;
}

test('signing up, in, refreshing and out', async () => {
  const url = await server();
  const address = email();

  const up = await client(url).auth.signUp({ email: address, password: PASSWORD });
  assert.equal(up.error, null);
  assert.equal(up.data.user?.email, address);

  const supabase = client(url);
  const seen: string[] = [];
  const { data: listening } = supabase.auth.onAuthStateChange((event) => void seen.push(event));
  const signedIn = await supabase.auth.signInWithPassword({ email: address, password: PASSWORD });
  assert.equal(signedIn.error, null);
  const first = signedIn.data.session;
  assert.ok(first);
  assert.equal(first.user.id, up.data.user?.id);

  const user = await supabase.auth.getUser();
  assert.equal(user.data.user?.id, first.user.id);

  await sleep(1100);
  const refreshed = await supabase.auth.refreshSession();
  assert.equal(refreshed.error, null);
  assert.ok(refreshed.data.session);
  assert.ok(refreshed.data.session.access_token !== first.access_token);

  assert.equal((await supabase.auth.signOut()).error, null);
  assert.equal((await supabase.auth.getSession()).data.session, null);
  await sleep(10);
  listening.subscription.unsubscribe();
  assert.deepEqual(seen.filter((event) => event !== 'INITIAL_SESSION'), ['SIGNED_IN', 'TOKEN_REFRESHED', 'SIGNED_OUT']);
});

test('a wrong password is an answer of the server', async () => {
  const url = await server();
  const { error } = await client(url).auth.signInWithPassword({ email: email(), password: PASSWORD });
  assert.ok(error);
  assert.equal(error.status, 400);
});

test('getSession renews a token that has run out', async () => {
  const url = await server(2);
  const supabase = client(url);
  const address = email();
  await supabase.auth.signUp({ email: address, password: PASSWORD });
  const { data } = await supabase.auth.signInWithPassword({ email: address, password: PASSWORD });
  assert.ok(data.session);
  await sleep(2100);
  const later = (await supabase.auth.getSession()).data.session;
  assert.ok(later);
  assert.ok(later.access_token !== data.session.access_token);
});

test('no server is an error, not an exception', async () => {
  const { error } = await client('http://127.0.0.1:1').auth.signInWithPassword({ email: email(), password: PASSWORD });
  assert.ok(error);
  assert.match(error.message, /Network request failed/);
});
