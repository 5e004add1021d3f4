/** The queue for the writer: order, nested use, time limits. Against the fake native module. */
import assert from 'node:assert/strict';
import { afterEach, beforeEach, test } from 'node:test';
import { column, type Database, openDatabase, Schema, Table, type Transaction } from '../../index';
import { createGate } from '../../gate';
import { createReaders } from '../../readers';
import { fake } from '../fakes/native';
import { isSyncError, settled } from './expect';

const schema = new Schema({ t: new Table({ a: column.text }) });
const connector = { fetchCredentials: () => Promise.resolve(null) };
const after = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

let db: Database;
let id: number;
let seen: string[];
beforeEach(async () => {
  seen = [];
  fake.onSql = (sql) => { seen.push(sql); return { rowsAffected: 1 }; };
  db = await openDatabase({ schema, userId: 'u', connector });
  id = fake.openIds().at(-1) ?? 0;
  fake.log.length = 0;
  fake.begun.length = 0;
});
afterEach(() => db.close());

/** A transaction that stays open until told. */
function hold(): { open: Promise<Transaction>; end: () => void; done: Promise<void> } {
  let end = (): void => undefined;
  let opened: (tx: Transaction) => void = () => undefined;
  const open = new Promise<Transaction>((resolve) => { opened = resolve; });
  const done = db.writeTransaction((tx) => {
    opened(tx);
    return new Promise<void>((resolve) => { end = resolve; });
  });
  return { open, end: () => { end(); }, done };
}

test('calls wait for the transaction in their order, and reach the engine behind its commit', async () => {
  const { open, end, done } = hold();
  const first = db.execute('A');
  await open;
  await settled();
  const second = db.writeTransaction((tx) => tx.execute('B'));
  const rest = [db.execute('C'), db.getParkedChanges(), db.executeBatch('D', [[1]]), db.triggerSync()];
  await settled();
  assert.deepEqual(seen, []);
  assert.ok(!fake.log.some((call) => call.startsWith('execute')));
  end();
  await Promise.all([done, first, second, ...rest]);
  assert.deepEqual(seen, ['A', '[7] B', 'C', 'D']);
  assert.deepEqual(fake.log.map((call) => call.replace(/\(.*/, '')), [
    'begin', 'commit', 'execute', 'begin', 'execute', 'commit', 'execute', 'getParkedChanges', 'executeBatch', 'triggerSync',
  ]);
});

test('reads and read transactions wait for nobody', async () => {
  const { open, end, done } = hold();
  await open;
  await db.getAll('R');
  assert.equal(await db.readTransaction(async (tx) => { await tx.getAll('S'); return 1; }), 1);
  await db.readLock((lock) => lock.getAll('T'));
  assert.deepEqual(seen, ['R', '[7] S', '[7] T']);
  assert.deepEqual(fake.begun, ['write', 'read', 'readLock']);
  end();
  await done;
});

test('what is awaited inside the callback is NestedTransaction soon, and never runs', async () => {
  const nested: [string, (tx: Transaction) => Promise<unknown>][] = [
    ['execute', () => db.execute('NESTED')],
    ['writeTransaction', () => db.writeTransaction(() => undefined)],
    ['writeLock', () => db.writeLock(() => undefined)],
    ['after a statement', async (tx) => { await tx.execute('IN'); await db.execute('NESTED'); }],
    ['after a failed statement', async (tx) => { await tx.execute(5 as never).catch(() => undefined); await db.execute('NESTED'); }],
    ['beside a statement', (tx) => Promise.all([db.execute('NESTED'), tx.execute('IN')])],
    ['executeBatch', () => db.executeBatch('NESTED', [[1]])],
    ['triggerSync', () => db.triggerSync()],
    ['retryParked', () => db.retryParked()],
    ['getNextCrudTransaction', () => db.getNextCrudTransaction()],
  ];
  for (const [name, call] of nested) {
    const since = Date.now();
    await assert.rejects(db.writeTransaction(call), (e) => isSyncError(e, 'NestedTransaction', 'tx.execute'), name);
    assert.ok(Date.now() - since < 2000, name);
  }
  await assert.rejects(db.writeLock(() => db.execute('NESTED')), (e) => isSyncError(e, 'NestedTransaction'));
  await settled();
  assert.ok(!seen.includes('NESTED'));
  await db.execute('FREE');
  assert.equal(seen.at(-1), 'FREE');
});

test('calls from elsewhere wait as long as it takes, also while the transaction is idle', async () => {
  const { open, end, done } = hold();
  await open;
  await after(20);
  const outside = db.execute('OUTSIDE');
  await after(400);
  end();
  await Promise.all([done, outside]);
  assert.deepEqual(seen, ['OUTSIDE']);
});

test('calls that the callback does not wait for just wait, while the transaction works', async () => {
  let forgotten: Promise<unknown> | undefined;
  await db.writeTransaction(async (tx) => {
    forgotten = db.execute('LOG');
    for (let n = 0; n < 8; n++) {
      await tx.execute('IN');
      await after(40);
    }
  });
  await forgotten;
  assert.equal(seen.at(-1), 'LOG');
});

test('a slow statement of the transaction is no idle transaction', async () => {
  let release = (): void => undefined;
  let beside: Promise<unknown> | undefined;
  const done = db.writeTransaction(async (tx) => {
    fake.hold.execute = new Promise<void>((resolve) => { release = resolve; });
    const slow = tx.execute('SLOW');
    beside = db.execute('LOG');
    await slow;
  });
  await after(400);
  release();
  await done;
  await beside;
  assert.deepEqual(seen, ['[7] SLOW', 'LOG']);
});

test('lockTimeout: Busy in the queue and in the engine; what begins late is rolled back and nothing overtakes it', async () => {
  const { open, end, done } = hold();
  await open;
  await assert.rejects(db.writeTransaction(() => assert.fail('ran'), 20), (e) => isSyncError(e, 'Busy', '20 ms'));
  await assert.rejects(db.writeLock(() => assert.fail('ran'), { timeoutMs: 20 }), (e) => isSyncError(e, 'Busy'));
  end();
  await done;
  let release = (): void => undefined;
  fake.hold.begin = new Promise<void>((resolve) => { release = resolve; });
  fake.log.length = 0;
  await assert.rejects(db.writeTransaction(() => assert.fail('ran'), 20), (e) => isSyncError(e, 'Busy'));
  const next = db.execute('NEXT');
  await settled();
  assert.deepEqual(fake.log, [`begin(${id})`]);
  release();
  await next;
  assert.deepEqual(fake.log, [`begin(${id})`, `rollback(${id})`, `execute(${id})`]);
  for (const wrong of [-1, 0.5, NaN, '5', { timeoutMs: null }]) {
    await assert.rejects(db.writeTransaction(() => 1, wrong as number), (e) => isSyncError(e, 'BadArgument', 'timeoutMs'));
  }
});

test('a begin that fails, and one that throws at once, leave the writer free', async () => {
  fake.fail.begin = Object.assign(new Error('locked'), { code: 'Busy', retryable: true });
  await assert.rejects(db.writeTransaction(() => 1), (e) => isSyncError(e, 'Busy'));
  await db.execute('NEXT');
  assert.deepEqual(seen, ['NEXT']);
});

test('commit and rollback inside the callback end it; a failed commit frees the writer', async () => {
  const answer = await db.writeTransaction(async (tx) => {
    await tx.execute('IN');
    await tx.rollback();
    await assert.rejects(tx.execute('LATE'), (e) => isSyncError(e, 'TransactionEnded'));
    await assert.rejects(tx.commit(), (e) => isSyncError(e, 'TransactionEnded'));
    await db.execute('FREE');
    return 5;
  });
  assert.equal(answer, 5);
  assert.deepEqual(fake.log, [`begin(${id})`, `execute(${id})`, `rollback(${id})`, `execute(${id})`]);
  fake.fail.commit = Object.assign(new Error('full'), { code: 'DiskFull', retryable: true });
  const waiting = db.execute('NEXT');
  await assert.rejects(db.writeTransaction((tx) => tx.commit()), (e) => isSyncError(e, 'DiskFull'));
  await waiting;
  await db.execute('LAST');
  assert.equal(seen.at(-1), 'LAST');
});

test('interrupt ends statements that wait, not wishes about syncing; close ends all', async () => {
  const { open, end, done } = hold();
  await open;
  await after(20);
  const statement = assert.rejects(db.execute('A'), (e) => isSyncError(e, 'Interrupted'));
  const sync = db.triggerSync();
  await db.interrupt();
  await statement;
  assert.equal(fake.log.at(-1), `interrupt(${id})`);
  const closed = assert.rejects(db.execute('B'), (e) => isSyncError(e, 'Closed'));
  const lost = assert.rejects(sync, (e) => isSyncError(e, 'Closed'));
  void db.close();
  await Promise.all([closed, lost]);
  end();
  await assert.rejects(done, (e) => isSyncError(e, 'Closed'));
  assert.deepEqual(seen, []);
});

test('parameters that wait are those of the call', async () => {
  const { open, end, done } = hold();
  await open;
  const given: unknown[][] = [];
  fake.onSql = (_sql, params) => { given.push([...params]); return {}; };
  const parameters = [1];
  const waiting = db.execute('A', parameters);
  parameters[0] = 2;
  end();
  await Promise.all([done, waiting]);
  assert.deepEqual(given, [[1]]);
});

test('the last resort: an idle transaction is given up on by those who wait, and nothing of theirs runs', async () => {
  const gate = createGate(1);
  const ran: string[] = [];
  const enter = (name: string) => gate.enter('statement', () => { ran.push(name); return Promise.resolve(name); });
  const holder = await gate.hold(undefined);
  const outcomes: string[] = [];
  const noted = (name: string) => enter(name).then(() => outcomes.push(`${name} ran`), (e: unknown) => {
    isSyncError(e, 'NestedTransaction', 'long time');
    assert.equal((e as { retryable: boolean }).retryable, true);
    outcomes.push(`${name} gave up`);
  });
  const early = noted('before it opened');
  holder.opened();
  const middle = noted('before its last statement');
  holder.issued();
  holder.answered();
  await new Promise((resolve) => setTimeout(resolve, 5));
  const late = noted('after its last statement');
  await late;
  assert.deepEqual(outcomes, ['after its last statement gave up']);
  await Promise.all([early, middle]);
  assert.equal(outcomes.length, 3);
  holder.release();
  assert.equal(await enter('free'), 'free');
  assert.deepEqual(ran, ['free']);
});

test('reading transactions that wait for each other are given up on, those that begin are not', async () => {
  const readers = createReaders(2);
  const lost: string[] = [];
  const giveUp = (name: string) => (error: unknown) => { isSyncError(error, 'NestedTransaction'); lost.push(name); };
  const outer = readers.enter(giveUp('outer'));
  outer.begun();
  const patient = readers.enter(giveUp('from elsewhere'));
  outer.holder.running();
  const nested = readers.enter(giveUp('nested'));
  const lucky = readers.enter(giveUp('lucky'));
  lucky.begun();
  outer.holder.issued();
  await settled();
  await after(30);
  assert.deepEqual(lost, [], 'a statement is under way');
  outer.holder.answered();
  await after(60);
  assert.deepEqual(lost, ['nested']);
  await after(700);
  assert.deepEqual(lost, ['nested', 'from elsewhere']);
  nested.begun();
  patient.begun();
});
