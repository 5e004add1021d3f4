/**
 * The demo, on Hermes: a row's whole way from JavaScript to the backend and back, with the backend gone in between.
 * `scripts/demo.mjs` runs it, names the server in OMNII_SERVER and an empty directory as the argument. Tells what it does
 * in numbered lines; the last line is JSON with counts and times. Throws, and so ends with a code other than 0, if
 * anything is not as expected.
 */
import { createClient } from '@supabase/supabase-js';
import { type Database, openDatabase, supabaseConnector, type SyncStatus } from '@omnii/sync';
import { schema } from '../contract';
import { assert, until } from '../host/harness';
import { type DemoServer, startServer } from './server';

const ROWS = 2000;
const WAIT_MS = 20_000;

/** What has to be undone at the end, however the end comes. */
const undo: (() => void | Promise<void>)[] = [];
let steps = 0;

/** A new chapter. */
function step(text: string): void {
  steps += 1;
  console.log(`${steps}. ${text}`);
}

/** What happened in it. */
function detail(text: string): void {
  console.log(`   ${text}`);
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const started = performance.now();
  await work();
  return Math.round(performance.now() - started);
}

/** Bounds what has no time limit of its own. */
async function within<T>(promise: Promise<T>, what: string): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`${what} took longer than ${WAIT_MS} ms`)), WAIT_MS);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** A device: signed in with a supabase-js client of its own, with a database in a directory of its own. */
async function device(server: DemoServer, directory: string): Promise<Database> {
  const supabase = createClient(server.url, 'anon-key', { auth: { persistSession: false, autoRefreshToken: false } });
  const { data, error } = await within(supabase.auth.signInWithPassword(server.user), 'signing in');
  if (error) throw error;
  const db = await openDatabase({
    schema,
    userId: data.user.id,
    connector: supabaseConnector(supabase, { baseUrl: server.url }),
    directory,
    // A person is watching: try again after a second at most.
    sync: { maxBackoffMs: 1000 },
  });
  undo.push(() => db.close());
  return db;
}

/** Tells each change of the status. Answers the function that ends that. */
function tellStatus(db: Database): () => void {
  let last = '';
  return db.registerListener({
    statusChanged: ({ status, pendingChanges, error }: SyncStatus) => {
      const pending = pendingChanges === 0 ? '' : `, ${pendingChanges} pending`;
      const line = `status: ${status}${pending}${error ? ` (${error.code})` : ''}`;
      if (line !== last) detail(line);
      last = line;
    },
  });
}

async function countRows(db: Database): Promise<number> {
  const tables = Object.keys(schema.tables).map((table) => `(SELECT count(*) FROM ${table})`);
  return (await db.get<{ n: number }>(`SELECT ${tables.join(' + ')} AS n`)).n;
}

async function demo(): Promise<Record<string, unknown>> {
  const directory = process.argv[2];
  if (!directory) throw new Error('there is no directory to work in: run `npm run demo`');

  step(`The backend starts on an embedded database with ${ROWS} rows`);
  const database = `${directory}/backend.db`;
  let server = await startServer(['--port', '0', '--database', database, '--seed', String(ROWS)]);
  undo.push(() => server.stop());
  detail(`${server.url}, process ${server.pid}`);

  step('The first phone signs in with supabase-js and opens its database');
  const phone = await device(server, `${directory}/phone`);
  const stopTelling = tellStatus(phone);
  assert.equal(await countRows(phone), 0, 'rows before the first sync');

  step('First sync');
  const firstSyncMs = await timed(async () => {
    await phone.connect();
    await within(phone.triggerSync(), 'the first sync');
  });
  const rows = await countRows(phone);
  detail(`${rows} rows in ${firstSyncMs} ms`);
  assert.equal(rows, ROWS, 'rows after the first sync');
  assert.equal(phone.currentStatus.pendingChanges, 0, 'downloaded rows waiting for upload');
  await until(() => phone.currentStatus.status === 'synced', "the status 'synced'", WAIT_MS);

  step('Queries read the local file');
  const types = await phone.getAll<{ entity_type: string; n: number }>(
    'SELECT entity_type, count(*) AS n FROM sync_entities GROUP BY entity_type ORDER BY n DESC, entity_type',
  );
  assert.ok(types.length > 0, 'entities by type');
  detail(types.map(({ entity_type, n }) => `${n} ${entity_type}`).join(', '));
  const event = await phone.get<{ summary: string; start_time: string }>(
    'SELECT summary, start_time FROM sync_events ORDER BY start_time DESC LIMIT 1',
  );
  detail(`last event: ${event.summary}, ${event.start_time}`);

  step('The backend is stopped');
  const { port } = server;
  await server.stop();
  await assert.rejects(fetch(`${server.url}/api/powersync/health`), undefined, 'the stopped backend answers');
  detail('its address refuses connections');

  step('Two local writes without a backend');
  const task = crypto.randomUUID();
  const note = crypto.randomUUID();
  const write = 'INSERT INTO sync_entities (id, entity_type, name, properties) VALUES (?, ?, ?, ?)';
  const writesMs = await timed(async () => {
    await phone.execute(write, [task, 'task', 'Buy a pump', JSON.stringify({ priority: 'high' })]);
    await phone.execute(write, [note, 'concept', 'Written offline', JSON.stringify({})]);
  });
  assert.equal(await countRows(phone), ROWS + 2, 'rows after the local writes');
  const offlineWrites = phone.currentStatus.pendingChanges;
  assert.equal(offlineWrites, 2, 'pending changes');
  detail(`readable after ${writesMs} ms, ${offlineWrites} pending`);
  await until(() => phone.currentStatus.status === 'offline', "the status 'offline'", WAIT_MS);
  assert.equal(phone.currentStatus.pendingChanges, 2, 'pending changes while offline');

  step('The backend returns, on the same port and file');
  server = await startServer(['--port', String(port), '--database', database]);
  detail(`process ${server.pid}`);
  const uploadMs = await timed(() => until(() => phone.currentStatus.pendingChanges === 0, 'the upload', WAIT_MS));
  detail(`both changes uploaded without being asked, ${uploadMs} ms after the return`);
  await until(() => phone.currentStatus.status === 'synced', "the status 'synced'", WAIT_MS);

  step('A second phone, with a sign-in and a directory of its own');
  const second = await device(server, `${directory}/second`);
  await second.connect();
  const secondSyncMs = await timed(() => within(second.triggerSync(), 'the second first sync'));
  const found = await second.getAll<{ name: string; properties: string }>(
    'SELECT name, properties FROM sync_entities WHERE id IN (?, ?) ORDER BY name',
    [task, note],
  );
  assert.deepEqual(found.map(({ name }) => name), ['Buy a pump', 'Written offline'], 'the rows on the second phone');
  assert.deepEqual(JSON.parse(found[0]?.properties ?? ''), { priority: 'high' }, 'the JSON column');
  assert.equal(await countRows(second), ROWS + 2, 'rows on the second phone');
  detail(`sees ${found.map(({ name }) => `“${name}”`).join(' and ')} among ${ROWS + 2} rows, after ${secondSyncMs} ms`);

  step('The first phone disconnects');
  await phone.disconnect();
  assert.equal(phone.currentStatus.status, 'offline', 'status after disconnect()');

  step('clearAndReconnect: everything is fetched again');
  let fewest = ROWS + 2;
  const watchRows = phone.registerListener({
    tablesChanged: () => void countRows(phone).then((count) => (fewest = Math.min(fewest, count)), () => undefined),
  });
  const again = await timed(async () => {
    await phone.clearAndReconnect();
    await within(phone.triggerSync(), 'the sync after clearAndReconnect');
  });
  watchRows();
  const after = await countRows(phone);
  assert.equal(after, ROWS + 2, 'rows after clearAndReconnect');
  assert.ok(fewest < ROWS + 2, 'nothing was cleared');
  await until(() => phone.currentStatus.status === 'synced', "the status 'synced'", WAIT_MS);
  detail(`${after} rows in ${again} ms`);
  stopTelling();

  return { ok: true, rows, firstSyncMs, offlineWrites, uploadMs, secondSyncMs, clearAndReconnectMs: again, rowsAfter: after };
}

async function main(): Promise<void> {
  const started = performance.now();
  let result: Record<string, unknown>;
  try {
    result = await demo();
  } finally {
    for (const work of undo.reverse()) await within((async () => work())(), 'cleaning up');
  }
  console.log('Everything is closed.');
  console.log(JSON.stringify({ ...result, totalMs: Math.round(performance.now() - started) }));
}

void main();
