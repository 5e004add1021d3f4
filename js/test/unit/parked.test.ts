/** Parked changes, reconcile and notifications, against the fake native module. */
import assert from 'node:assert/strict';
import { afterEach, beforeEach, test } from 'node:test';
import { column, type Database, openDatabase, type ParkedChange, Schema, Table } from '../../index';
import { fake, nativeError } from '../fakes/native';
import { isSyncError } from './expect';

const schema = new Schema({ t: new Table({ a: column.text }) });
const parked: ParkedChange[] = [
  { id: 4, transactionId: 2, table: 't', rowId: 'r', operation: 'insert', columns: { a: 'x', b: 1, c: null }, reason: 'refused' },
  { id: 5, transactionId: 2, table: 't', rowId: 's', operation: 'delete', columns: null, reason: 'refused' },
];

let db: Database;
let id: number;
beforeEach(async () => {
  db = await openDatabase({ schema, userId: 'u', connector: { fetchCredentials: () => Promise.resolve(null) } });
  id = fake.openIds().at(-1) ?? 0;
  fake.log.length = 0;
  fake.parked = parked;
});
afterEach(() => db.close());

test('parked changes are listed as they are', async () => {
  assert.deepEqual(await db.getParkedChanges(), parked);
});

test('all or some are retried and discarded; the answers are counts', async () => {
  assert.equal(await db.retryParked(), 2);
  assert.equal(await db.retryParked([4]), 1);
  assert.equal(await db.retryParked([]), 0);
  assert.equal(await db.discardParked(), 2);
  assert.equal(await db.discardParked([4, 5, 99]), 3);
  assert.deepEqual(fake.log, [
    `retryParked(${id}, )`, `retryParked(${id}, [4])`, `retryParked(${id}, [])`, `discardParked(${id}, )`, `discardParked(${id}, [4,5,99])`,
  ]);
});

for (const [ids, word] of [
  [4, 'a number'], ['4', 'a string'], [null, 'null'], [[4, '5'], 'a string'], [[1.5], '1.5'], [[NaN], 'NaN'],
  [[2 ** 53], '9007199254740992'], [[undefined], 'undefined'], [[[4]], 'an array'],
] as [never, string][]) {
  test(`ids must be whole numbers: ${word}`, async () => {
    await assert.rejects(db.retryParked(ids), (e) => isSyncError(e, 'BadArgument', 'retryParked', word));
    await assert.rejects(db.discardParked(ids), (e) => isSyncError(e, 'BadArgument', 'discardParked', word));
    assert.deepEqual(fake.log, [], 'the engine is not asked');
  });
}

test('what a call did to the status is there when it is awaited, also when it failed', async () => {
  const later = (change: { parkedChanges: number }) => Promise.resolve().then(() => { fake.setStatus(id, change, false); });
  fake.hold.retryParked = later({ parkedChanges: 3 });
  await db.retryParked();
  assert.equal(db.currentStatus.parkedChanges, 3);
  fake.hold.reconcile = later({ parkedChanges: 4 });
  fake.fail.reconcile = nativeError('Network', 'no way', true);
  await assert.rejects(db.reconcile(), (e) => isSyncError(e, 'Network'));
  assert.equal(db.currentStatus.parkedChanges, 4);
});

test('the engine is told what happened outside', async () => {
  await db.reconcile();
  await db.notifyForeground();
  await db.notifyNetworkRegained();
  await db.notifyCredentialsChanged();
  assert.deepEqual(fake.log, [
    `reconcile(${id})`, `notify(${id}, foreground)`, `notify(${id}, networkRegained)`, `notify(${id}, credentialsChanged)`,
  ]);
});

test('closed, everything is Closed', async () => {
  await db.close();
  for (const call of [
    () => db.reconcile(), () => db.getParkedChanges(), () => db.retryParked(), () => db.discardParked(), () => db.notifyForeground(),
    () => db.notifyNetworkRegained(), () => db.notifyCredentialsChanged(), () => db.prepareForSuspend(), () => db.resume(), () => db.signOut(),
  ]) {
    await assert.rejects(call(), (e) => isSyncError(e, 'Closed'));
  }
});
