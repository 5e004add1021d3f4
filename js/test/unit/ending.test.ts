/** How a database ends and pauses: sign-out, closing meanwhile, suspending and resuming in order. */
import assert from 'node:assert/strict';
import { afterEach, beforeEach, test } from 'node:test';
import { addStatusListener, column, type Database, openDatabase, Schema, Table } from '../../index';
import { fake, nativeError } from '../fakes/native';
import { isSyncError, settled } from './expect';

const schema = new Schema({ t: new Table({ a: column.text }) });
const connector = { fetchCredentials: () => Promise.resolve({ endpoint: 'http://h', token: 'tok' }) };
const open = () => openDatabase({ schema, userId: 'u', connector });

let db: Database;
let id: number;
beforeEach(async () => {
  db = await open();
  id = fake.openIds().at(-1) ?? 0;
  fake.log.length = 0;
});
afterEach(async () => {
  await db.close();
  assert.equal(fake.subscriptions(), 0);
  assert.deepEqual(fake.openIds(), []);
});

/** Makes the next call of a method wait; answers what lets it go. */
function hold(method: keyof typeof fake.hold): () => void {
  let release = (): void => undefined;
  fake.hold[method] = new Promise<void>((resolve) => { release = resolve; });
  return release;
}

test('signing out with the defaults; the file can be opened again afterwards', async () => {
  assert.deepEqual(await db.signOut(), { cleared: true });
  assert.deepEqual(fake.log, [`signOut(${id}, clearWhenSynced, 10000)`]);
  await (await open()).close();
});

test('the policy and the time are passed on', async () => {
  assert.deepEqual(await db.signOut({ onSignOut: 'keep', timeoutMs: 0 }), { cleared: false });
  assert.deepEqual(fake.log, [`signOut(${id}, keep, 0)`]);
});

for (const [options, ...words] of [
  [{ onSignOut: 'burn' }, "'burn'", 'clearWhenSynced'],
  [{ onSignOut: null }, 'null'],
  [{ timeoutMs: 1.5 }, '1.5'],
  [{ policy: 'keep' }, "'policy'", 'onSignOut'],
  ['keep', 'a string'],
] as unknown as [never, ...string[]][]) {
  test(`a wrong argument leaves the database open: ${JSON.stringify(options)}`, async () => {
    await assert.rejects(db.signOut(options), (e) => isSyncError(e, 'BadArgument', 'signOut', ...words));
    assert.deepEqual(await db.getAll('SELECT 1'), []);
  });
}

test('from the call on everything is Closed and quiet, but the last push gets its credentials', async () => {
  const release = hold('signOut');
  const seen: string[] = [];
  db.registerListener({ statusChanged: ({ status }) => seen.push(status), tablesChanged: () => seen.push('tables') });
  const module = addStatusListener(({ status }) => seen.push(`current: ${status}`));
  fake.setStatus(id, { status: 'synced', connected: true });
  const leaving = db.signOut();
  await assert.rejects(db.getAll('SELECT 1'), (e) => isSyncError(e, 'Closed'));
  await assert.rejects(db.signOut(), (e) => isSyncError(e, 'Closed'));
  fake.setStatus(id, { status: 'syncing' });
  fake.changeTables(id, ['t']);
  assert.match((await fake.requestCredentials(id)).credentials, /"tok"/);
  release();
  assert.deepEqual(await leaving, { cleared: true });
  module.remove();
  assert.deepEqual(seen, ['current: offline', 'synced', 'current: synced', 'current: offline', 'offline']);
  assert.deepEqual(fake.openIds(), []);
  void fake.requestCredentials(id);
  await settled();
  assert.equal(fake.unanswered(), 1, 'afterwards nobody answers');
});

test('closing while signing out waits for that, and does not repeat it', async () => {
  const release = hold('signOut');
  fake.fail.signOut = nativeError('DiskFull', 'no space left');
  const leaving = assert.rejects(db.signOut(), (e) => isSyncError(e, 'DiskFull'));
  let closed = false;
  const closing = db.close().then(() => { closed = true; });
  await settled();
  assert.equal(closed, false);
  release();
  await Promise.all([leaving, closing]);
  assert.equal(fake.log.length, 1);
});

test('signing out while suspended takes the file up first, whatever comes of that', async () => {
  await db.prepareForSuspend();
  fake.fail.resume = nativeError('Busy', 'locked');
  await db.signOut({ onSignOut: 'clear' });
  assert.deepEqual(fake.log, [`prepareForSuspend(${id})`, `resume(${id})`, `signOut(${id}, clear, 10000)`]);
});

test('suspend and resume reach the engine one after another, also behind one that failed', async () => {
  const release = hold('prepareForSuspend');
  fake.fail.prepareForSuspend = nativeError('Busy', 'locked');
  const first = assert.rejects(db.prepareForSuspend(), (e) => isSyncError(e, 'Busy'));
  assert.deepEqual(fake.log, [`prepareForSuspend(${id})`], 'the first leaves at once');
  const rest = Promise.all([db.resume(), db.prepareForSuspend(), db.resume()]);
  await settled();
  assert.equal(fake.log.length, 1, 'the second waits');
  release();
  await Promise.all([first, rest]);
  assert.deepEqual(fake.log, [`prepareForSuspend(${id})`, `resume(${id})`, `prepareForSuspend(${id})`, `resume(${id})`]);
});

test('closing while suspended just closes', async () => {
  await db.prepareForSuspend();
  await db.close();
  assert.deepEqual(fake.log, [`prepareForSuspend(${id})`, `close(${id})`]);
});
