/** Against a fake client; the real supabase-js is used in the demo and the Hermes tests. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createClient, type SupabaseClient } from '@supabase/supabase-js';
import { SyncError } from '../../errors';
import { supabaseConnector, type SupabaseAuthClient } from '../../supabase';
import { isSyncError } from './expect';

type Session = { access_token: string; expires_at?: number; user?: { id: string } };
const inOneHour = Math.floor(Date.now() / 1000) + 3600;

function client(session: Session | null, error: { message: string } | null = null) {
  const counts = { refreshes: 0 };
  const fake: SupabaseAuthClient = {
    auth: {
      getSession: async () => ({ data: { session }, error }),
      refreshSession: async () => {
        counts.refreshes += 1;
        return { data: { session: { access_token: 'fresh', expires_at: inOneHour } }, error: null };
      },
    },
  };
  return { fake, counts };
}

/** Compiles only as long as a real client fits. */
export const realClientFits = (supabase: SupabaseClient): SupabaseAuthClient => supabase;

test('endpoint, token and expiry come from the session', async () => {
  for (const baseUrl of ['https://h', 'https://h///', 'https://h/api/powersync', 'https://h/api/powersync/']) {
    const { fake, counts } = client({ access_token: 'tok', expires_at: inOneHour });
    assert.deepEqual(await supabaseConnector(fake, { baseUrl }).fetchCredentials(), {
      endpoint: 'https://h/api/powersync',
      token: 'tok',
      expiresAt: new Date(inOneHour * 1000),
    });
    assert.equal(counts.refreshes, 0);
  }
});

test('no session is signed out; an error is thrown', async () => {
  assert.equal(await supabaseConnector(client(null).fake, { baseUrl: 'http://h' }).fetchCredentials(), null);
  const broken = client(null, { message: 'storage is locked' }).fake;
  await assert.rejects(supabaseConnector(broken, { baseUrl: 'http://h' }).fetchCredentials(), /storage is locked/);
});

test('a session that has ended and can not be renewed offline is Network; an answer of the auth server is not', async () => {
  const answered = async (status: number, word: string): Promise<SupabaseAuthClient> => {
    const real = createClient('http://127.0.0.1:9', 'key', {
      auth: { persistSession: false, autoRefreshToken: false },
      global: { fetch: () => (status === 0 ? Promise.reject(new TypeError(word)) : Promise.resolve(new Response(`{"msg":"${word}"}`, { status }))) },
      realtime: { transport: function Never() { /* Node 20 has no WebSocket */ } as never },
    });
    // The real client's error, but not from a renewal, which it tries for half a minute.
    const { error } = await real.auth.signInAnonymously();
    assert.ok(error);
    return client(null, error).fake;
  };
  const ask = (fake: SupabaseAuthClient) => supabaseConnector(fake, { baseUrl: 'http://h' }).fetchCredentials();
  await assert.rejects(ask(await answered(0, 'Network request failed')), (e) => isSyncError(e, 'Network', 'Network request failed'));
  for (const [status, word] of [[503, '503'], [400, 'sorry']] as const) {
    await assert.rejects(ask(await answered(status, 'sorry')), (e: Error) => !(e instanceof SyncError) && e.message.includes(word), word);
  }
});

test('a token that is about to expire, or that the engine had already, is refreshed', async () => {
  const soon = client({ access_token: 'tok', expires_at: Math.floor(Date.now() / 1000) + 30 });
  assert.equal((await supabaseConnector(soon.fake, { baseUrl: 'http://h' }).fetchCredentials())?.token, 'fresh');

  const { fake, counts } = client({ access_token: 'tok', expires_at: inOneHour });
  const connector = supabaseConnector(fake, { baseUrl: 'http://h' });
  assert.equal((await connector.fetchCredentials({}))?.token, 'tok');
  assert.equal((await connector.fetchCredentials({}))?.token, 'tok', 'asking twice is no reason to refresh');
  assert.equal((await connector.fetchCredentials({ previousToken: 'older' }))?.token, 'tok', 'supabase refreshed by itself');
  assert.equal(counts.refreshes, 0);
  assert.equal((await connector.fetchCredentials({ previousToken: 'tok' }))?.token, 'fresh');
});

test('a session of another user than the database is signed out, and is not refreshed', async () => {
  const { fake, counts } = client({ access_token: 'tok', expires_at: 0, user: { id: 'bob' } });
  const connector = supabaseConnector(fake, { baseUrl: 'http://h' });
  assert.equal(await connector.fetchCredentials({ userId: 'ada', previousToken: 'tok' }), null);
  assert.equal(counts.refreshes, 0);
  assert.equal((await connector.fetchCredentials({ userId: 'bob' }))?.token, 'fresh');
});

test('events of the client that bring a session are passed on; signing out is not', () => {
  const { fake } = client(null);
  let emit: (event: string, session: Session | null) => void = () => assert.fail('nobody listens');
  let unsubscribed = 0;
  fake.auth.onAuthStateChange = (callback) => {
    emit = callback;
    return { data: { subscription: { unsubscribe: () => { unsubscribed += 1; } } } };
  };
  const heard: unknown[] = [];
  const stop = supabaseConnector(fake, { baseUrl: 'http://h' }).subscribe?.((change) => heard.push(change));
  emit('SIGNED_IN', { access_token: 'a', user: { id: 'ada' } });
  emit('SIGNED_OUT', null);
  emit('TOKEN_REFRESHED', { access_token: 'b' });
  assert.deepEqual(heard, [{ token: 'a', userId: 'ada' }, { token: 'b', userId: undefined }]);
  stop?.();
  assert.equal(unsubscribed, 1);
});

test('a client without onAuthStateChange makes a connector without subscribe', () => {
  assert.equal('subscribe' in supabaseConnector(client(null).fake, { baseUrl: 'http://h' }), false);
});

test('refuses a wrong client or address', () => {
  const { fake } = client(null);
  for (const [supabase, options, word] of [
    [undefined, { baseUrl: 'http://h' }, 'undefined'],
    [fake, undefined, 'baseUrl'],
    [fake, { baseUrl: 'h:1' }, "'h:1'"],
  ] as [SupabaseAuthClient, { baseUrl: string }, string][]) {
    assert.throws(() => supabaseConnector(supabase, options), (thrown) => isSyncError(thrown, 'InvalidOptions', word));
  }
});
