/** What the tests against the real backend share: a server, users, devices. */
import { createClient, type SupabaseClient } from '@supabase/supabase-js';
import { assert, cleanup, until } from '../../../scripts/host/harness';
import { column, type Database, Schema, supabaseConnector, Table } from '../../index';
import { open, temporaryDirectory } from './setup';

/** What the backend has, as far as these tests use it. */
export const schema = new Schema({
  sync_entities: new Table(
    { entity_type: column.text, name: column.text, source_id: column.text, properties: column.json, updated_at: column.text },
    { required: ['entity_type', 'name'] }
  ),
  sync_relationships: new Table(
    { from_entity_id: column.text, to_entity_id: column.text, relationship_type: column.text },
    { parents: ['sync_entities'], required: ['from_entity_id', 'to_entity_id', 'relationship_type'] }
  ),
});

export type Account = { supabase: SupabaseClient; userId: string; baseUrl: string };

/** Starts the reference backend; answers its address. */
export async function startServer(...flags: string[]): Promise<string> {
  const binary = process.env['OMNII_SERVER'];
  assert.ok(binary, 'OMNII_SERVER does not name the server');
  const lines: string[] = [];
  const child = __host.spawn(binary, ['--port', '0', ...flags], {
    onStdout: (line) => lines.push(line),
    onStderr: () => undefined,
  });
  cleanup(async () => {
    child.kill();
    await child.exited;
  });
  const first = await until(() => lines[0] ?? '', 'the server to start');
  return (JSON.parse(first) as { url: string }).url;
}

/** A new user, signed in. */
export async function signUp(baseUrl: string): Promise<Account> {
  const supabase = createClient(baseUrl, 'anon', { auth: { persistSession: false, autoRefreshToken: false } });
  const { data, error } = await supabase.auth.signUp({ email: `${crypto.randomUUID()}@example.com`, password: 'a long password' });
  assert.equal(error, null);
  assert.ok(data.user);
  return { supabase, userId: data.user.id, baseUrl };
}

/** Sync only when asked for. */
export const quiet = { pollIntervalMs: 3_600_000, uploadThrottleMs: 3_600_000 };

export const device = ({ supabase, userId, baseUrl }: Account, sync: Record<string, number> = quiet): Promise<Database> =>
  open({ schema, userId, directory: temporaryDirectory(), connector: supabaseConnector(supabase, { baseUrl }), sync });

export const nameOf = async (db: Database, id: string): Promise<string | undefined> =>
  (await db.getOptional<{ name: string }>('SELECT name FROM sync_entities WHERE id = ?', [id]))?.name;
