/** The module-level functions, against the fake native module. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  addStatusListener, clearAndReconnect, column, disconnect, getConnector, notifyNetworkRegained, openDatabase, reconcile, resetConnector, Schema,
  Table, triggerSync, waitForFirstSync,
} from '../../index';
import { fake } from '../fakes/native';
import { consoleErrors, isSyncError } from './expect';

const schema = new Schema({ t: new Table({ a: column.text }) });
const credentials = { endpoint: 'http://h', token: 'tok' };
const open = (userId: string, answer: unknown = credentials) =>
  openDatabase({ schema, userId, connector: { fetchCredentials: () => Promise.resolve(answer as typeof credentials) } });

test('without an open database everything is NotOpen', async () => {
  assert.throws(() => getConnector(), (e) => isSyncError(e, 'NotOpen', 'openDatabase'));
  for (const call of [triggerSync, disconnect, clearAndReconnect, resetConnector, reconcile, waitForFirstSync, notifyNetworkRegained]) {
    await assert.rejects(call(), (e) => isSyncError(e, 'NotOpen'));
  }
});

test('a status listener is called at once and follows the open database', async () => {
  const seen: string[] = [];
  const { remove } = addStatusListener((status) => seen.push(`${status.status} ${status.pendingChanges}`));
  assert.deepEqual(seen, ['offline 0']);
  const first = await open('one');
  fake.setStatus(fake.openIds().at(-1) ?? 0, { status: 'synced' });
  const second = await open('two');
  fake.setStatus(fake.openIds().at(-1) ?? 0, { pendingChanges: 2 });
  fake.setStatus(fake.openIds().at(-2) ?? 0, { status: 'error' });
  await second.close();
  await first.close();
  remove();
  await (await open('one')).close();
  assert.deepEqual(seen, ['offline 0', 'offline 0', 'synced 0', 'offline 0', 'offline 2', 'error 0', 'offline 0']);
});

test('a status listener that throws at once is reported and stays', async () => {
  let calls = 0;
  const errors = await consoleErrors(async () => {
    const { remove } = addStatusListener(() => { calls += 1; throw new Error('mine'); });
    await (await open('one')).close();
    remove();
  });
  assert.equal(errors.length, calls);
  assert.throws(() => addStatusListener(null as never), (e) => isSyncError(e, 'BadArgument'));
});

test('the functions act on the database opened last that is still open', async () => {
  const first = await open('one');
  const second = await open('two');
  const [a, b] = fake.openIds();
  fake.log.length = 0;
  await triggerSync();
  await second.close();
  await triggerSync();
  await disconnect();
  await clearAndReconnect();
  await reconcile();
  await notifyNetworkRegained();
  await assert.rejects(waitForFirstSync({ timeoutMs: 0 }), (e) => isSyncError(e, 'Timeout'));
  await first.close();
  assert.deepEqual(fake.log, [
    `triggerSync(${b})`, `close(${b})`, `triggerSync(${a})`, `disconnect(${a})`, `clearAndReconnect(${a})`,
    `reconcile(${a})`, `notify(${a}, networkRegained)`, `close(${a})`,
  ]);
});

test('the connector object talks to the backend, and resetConnector forgets it', async () => {
  const db = await open('one');
  const connector = getConnector();
  assert.equal(getConnector(), connector);
  assert.deepEqual(await connector.fetchCredentials(), credentials);
  await connector.uploadData();
  assert.deepEqual(await connector.fetchChanges('2026-01-01T00:00:00Z'), { changes: {}, timestamp: '2026-01-01T00:00:00Z', hasMore: false });
  assert.equal((await connector.fetchChanges()).timestamp, '');
  await assert.rejects(connector.fetchChanges(5 as never), (e) => isSyncError(e, 'BadArgument', 'a number'));
  assert.deepEqual(await connector.health(), { status: 'ok' });
  await assert.rejects(connector.populate(), (e) => isSyncError(e, 'BadResponse', 'a string'));
  await resetConnector();
  assert.match(fake.log.at(-1) ?? '', /^disconnect/);
  assert.notEqual(getConnector(), connector);
  await db.close();
  await assert.rejects(connector.health(), (e) => isSyncError(e, 'Closed'));
});

test('the connector object says when the app answers nonsense', async () => {
  const db = await open('one', { endpoint: 'nowhere' });
  await assert.rejects(getConnector().fetchCredentials(), (e) => isSyncError(e, 'CredentialsFailed', 'endpoint'));
  await db.close();
});
