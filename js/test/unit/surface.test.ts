/** The rest of the surface against the fake native module: reads at once, prepared statements, uploads by the app, small things. */
import assert from 'node:assert/strict';
import { afterEach, beforeEach, test } from 'node:test';
import { column, type Database, openDatabase, Schema, type SyncConnector, Table } from '../../index';
import { fake, nativeError } from '../fakes/native';
import { isSyncError, settled } from './expect';

const schema = new Schema({ t: new Table({ a: column.text }) });
let upload: (database: Database) => Promise<void> = () => Promise.resolve();
const connector: SyncConnector = {
  fetchCredentials: () => Promise.resolve(null),
  uploadData: (database) => upload(database),
};

let db: Database;
let id: number;
beforeEach(async () => {
  fake.onSql = () => ({});
  fake.crud = [];
  fake.description = { tables: [], readOnly: true, parameters: 0, columnNames: [] };
  db = await openDatabase({ schema, userId: 'u', connector, bigIntegers: 'error' });
  id = fake.openIds().at(-1) ?? 0;
  fake.log.length = 0;
});
afterEach(() => db.close());

test('options reach the engine', async () => {
  assert.equal(fake.optionsOf(id)?.customUpload, true);
  assert.equal(fake.optionsOf(id)?.bigIntegers, 'error');
  await assert.rejects(
    openDatabase({ schema, userId: 'v', connector, bigIntegers: 'number' as never }),
    (e) => isSyncError(e, 'InvalidOptions', 'bigIntegers')
  );
  await assert.rejects(
    openDatabase({ schema, userId: 'v', connector: { ...connector, uploadData: 5 as never } }),
    (e) => isSyncError(e, 'InvalidOptions', 'uploadData')
  );
  const plain = await openDatabase({ schema, userId: 'v', connector: { fetchCredentials: () => Promise.resolve(null) } });
  const options = fake.optionsOf(fake.openIds().at(-1) ?? 0);
  assert.ok(options !== undefined && !('customUpload' in options) && !('bigIntegers' in options));
  await plain.close();
});

test('results can be iterated; executeRaw and executeBatch have shapes of their own', async () => {
  fake.onSql = (_sql, params) => ({ columnNames: ['a', 'a'], rows: [[1, 2]] as never, rowsAffected: params.length });
  assert.deepEqual([...(await db.execute('SELECT'))], [[1, 2]]);
  assert.deepEqual(await db.executeRaw('SELECT'), { rowsAffected: 0, columnNames: ['a', 'a'], rawRows: [[1, 2]] });
  const batch = await db.executeBatch('INSERT', [[1], [true], [new Uint8Array([1])]]);
  assert.deepEqual([batch.rowsAffected, batch.array], [3, []]);
  assert.equal((await db.executeBatch('INSERT')).rowsAffected, 0);
  for (const sets of [5, [5], [[undefined]], [[1], undefined]]) {
    await assert.rejects(db.executeBatch('INSERT', sets as never), (e) => isSyncError(e, 'BadArgument'));
  }
});

test('parameters are handed over as they are, unless one has to be converted', async () => {
  const seen: unknown[] = [];
  fake.onSql = (_sql, params) => { seen.push(params); return {}; };
  const plain = ['a', 1, null, true, 5n];
  await db.getAll('A', plain);
  assert.equal(seen[0], plain);
  const views = ['a', new Uint8Array([1, 2]).subarray(1)];
  await db.getAll('A', views);
  assert.deepEqual(seen[1], ['a', new Uint8Array([2]).buffer]);
  assert.ok(ArrayBuffer.isView(views[1]), 'the array of the app stays as it was');
});

test('reads at once', async () => {
  fake.onSql = () => ({ rows: [{ a: 1 }, { a: 2 }] });
  assert.deepEqual(db.getAllSync('A'), [{ a: 1 }, { a: 2 }]);
  assert.deepEqual(db.executeSync('A').array, [{ a: 1 }, { a: 2 }]);
  assert.deepEqual([db.getSync('A'), db.getOptionalSync('A')], [{ a: 1 }, { a: 1 }]);
  fake.onSql = () => ({});
  assert.equal(db.getOptionalSync('A'), null);
  assert.throws(() => db.getSync('A'), (e) => isSyncError(e, 'NotFound'));
  assert.throws(() => db.getAllSync(''), (e) => isSyncError(e, 'BadArgument'));
  assert.throws(() => db.getAllSync('A', [undefined as never]), (e) => isSyncError(e, 'BadArgument', '1'));
  fake.onSql = () => { throw nativeError('ReadOnly', 'this statement writes'); };
  assert.throws(() => db.executeSync('INSERT'), (e) => isSyncError(e, 'ReadOnly', 'await db.execute()'));
  await db.close();
  assert.throws(() => db.getAllSync('A'), (e) => isSyncError(e, 'Closed'));
});

test('prepared statements', async () => {
  const seen: unknown[] = [];
  fake.onSql = (sql, params) => { seen.push([sql, [...params]]); return { rows: [{ a: 1 }], rowsAffected: 1 }; };
  fake.description = { tables: ['t'], readOnly: true, parameters: 2, columnNames: ['a'] };
  const read = await db.prepare<{ a: number }>('SELECT');
  assert.deepEqual([read.readOnly, read.columnNames], [true, ['a']]);
  await read.execute();
  await read.bind([1, 'x']);
  assert.deepEqual((await read.execute()).array, [{ a: 1 }]);
  await read.execute();
  assert.deepEqual(seen, [['SELECT', [null, null]], ['SELECT', [1, 'x']], ['SELECT', [1, 'x']]]);
  assert.ok(fake.log.includes(`query(${id})`) && !fake.log.includes(`execute(${id})`));
  await assert.rejects(read.bind([1]), (e) => isSyncError(e, 'BadArgument', '2', '1'));
  await assert.rejects(read.bind([1, undefined as never]), (e) => isSyncError(e, 'BadArgument', 'parameter 2'));
  assert.throws(() => { read.bindSync(undefined as never); }, (e) => isSyncError(e, 'BadArgument'));
  await read.finalize();
  await read.finalize();
  await assert.rejects(read.execute(), (e) => isSyncError(e, 'BadArgument', 'finalized'));
  await assert.rejects(read.bind([1, 2]), (e) => isSyncError(e, 'BadArgument', 'finalized'));
  fake.description = { tables: ['t'], readOnly: false, parameters: 1, columnNames: [] };
  const write = await db.prepare('INSERT');
  write.bindSync([1]);
  assert.equal((await write.execute()).rowsAffected, 1);
  assert.equal(fake.log.at(-1), `execute(${id})`);
  fake.fail.describe = nativeError('Sql', 'syntax error');
  await assert.rejects(db.prepare('SELEC'), (e) => isSyncError(e, 'Sql'));
  await assert.rejects(db.prepare(''), (e) => isSyncError(e, 'BadArgument'));
});

const change = (entry: number, transaction: number) =>
  ({ id: entry, transaction, table: 't', rowId: `r${entry}`, op: 'PUT' as const, data: { a: 'x' }, previous: null, metadata: null });

test('pending changes by transaction and by batch', async () => {
  assert.equal(await db.getNextCrudTransaction(), null);
  assert.equal(await db.getCrudBatch(), null);
  fake.crud = [change(3, 1), change(4, 1), change(7, 2), { ...change(9, 3), op: 'DELETE', data: null, metadata: 'm' }];
  const first = await db.getNextCrudTransaction();
  assert.deepEqual([first?.transactionId, first?.crud.map(({ clientId }) => clientId)], [1, [3, 4]]);
  const batch = await db.getCrudBatch(3);
  assert.deepEqual([batch?.crud.length, batch?.haveMore], [3, true]);
  const [entry] = batch?.crud ?? [];
  assert.ok(entry);
  assert.deepEqual(entry.toJSON(), {
    op_id: 3, op: 'PUT', type: 't', id: 'r3', tx_id: 1, data: { a: 'x' }, old: undefined, metadata: undefined,
  });
  assert.ok(first?.crud[0]?.equals(entry));
  assert.ok(!entry.equals(batch?.crud[1] ?? entry));
  const seen: (number | undefined)[] = [];
  for await (const transaction of db.getCrudTransactions()) {
    seen.push(transaction.transactionId);
    if (transaction.transactionId === 2) { await transaction.complete(); }
  }
  assert.deepEqual(seen, [1, 2, 3]);
  assert.deepEqual(fake.crud.map((left) => left.id), [9]);
  const last = await db.getNextCrudTransaction();
  assert.deepEqual([last?.crud[0]?.op, last?.crud[0]?.metadata, 'opData' in (last?.crud[0] ?? {})], ['DELETE', 'm', false]);
  for (const limit of [0, 1.5, NaN, '5']) {
    await assert.rejects(db.getCrudBatch(limit as number), (e) => isSyncError(e, 'BadArgument', 'getCrudBatch'));
  }
  assert.deepEqual(await db.getUploadQueueStats(), { count: 0, size: null });
  assert.equal(await db.getClientId(), 'c1');
});

test('the import is told, and a key reaches the engine as it takes it', async () => {
  assert.equal(await db.getImportResult(), null);
  await db.rekey('pass');
  await db.rekey(new Uint8Array(32).buffer);
  const told = fake.log.filter((call) => call.startsWith('rekey'));
  assert.deepEqual(told, [`rekey(${id}, {"passphrase":"pass"})`, `rekey(${id}, {"raw":"${'0'.repeat(64)}"})`]);
  await assert.rejects(db.rekey(new Uint8Array(31)), (e) => isSyncError(e, 'BadArgument', '32', '31'));
});

test('the connector uploads; its failure is told without tokens', async () => {
  fake.crud = [change(1, 1)];
  upload = async (database) => {
    assert.equal(database, db);
    await (await database.getNextCrudTransaction())?.complete();
  };
  assert.equal(await fake.requestUpload(id), '');
  assert.deepEqual(fake.crud, []);
  upload = () => Promise.reject(new Error('401 for Bearer eyJhbGciOi.eyJzdWIi.c2ln'));
  assert.equal(await fake.requestUpload(id), '401 for Bearer [token]');
  upload = () => { throw new Error(''); };
  assert.match(await fake.requestUpload(id), /without a message/);
});

test('while signing out the last upload may still use the database, nobody else', async () => {
  fake.crud = [change(1, 1)];
  let release = (): void => undefined;
  fake.hold.signOut = new Promise<void>((resolve) => { release = resolve; });
  upload = async (database) => {
    await (await database.getNextCrudTransaction())?.complete();
    await assert.rejects(database.signOut(), (e) => isSyncError(e, 'Closed'));
  };
  const leaving = db.signOut();
  await assert.rejects(db.getAll('A'), (e) => isSyncError(e, 'Closed'));
  assert.equal(await fake.requestUpload(id), '');
  await assert.rejects(db.getAll('A'), (e) => isSyncError(e, 'Closed'));
  release();
  await leaving;
});

test('state, readiness, and what connect takes', async () => {
  await db.init();
  await db.waitForReady();
  assert.deepEqual([db.closed, db.ready, db.connected, db.connecting, db.schema], [false, true, false, false, schema]);
  await db.connect(connector);
  assert.equal(db.connecting, true);
  await assert.rejects(db.connect({ ...connector }), (e) => isSyncError(e, 'BadArgument', 'openDatabase'));
  const heard: string[] = [];
  db.registerListener({ closing: () => heard.push(`closing ${db.closed}`), closed: () => heard.push('closed') });
  await db.close();
  assert.deepEqual([heard, db.closed, db.ready], [['closing true', 'closed'], true, false]);
  await assert.rejects(db.init(), (e) => isSyncError(e, 'Closed'));
});

test('disconnectAndClear', async () => {
  await db.disconnectAndClear();
  assert.equal(fake.log.at(-1), `clear(${id})`);
  for (const options of [{ clearLocal: 1 }, { soft: true }, 5]) {
    await assert.rejects(db.disconnectAndClear(options as never), (e) => isSyncError(e, 'BadArgument', 'clearLocal'));
  }
});

test('waitForStatus, and waitForFirstSync with a bare signal', async () => {
  await db.waitForStatus(({ status }) => status === 'offline');
  let done = false;
  const waiting = db.waitForStatus((status) => status.pendingChanges === 2).then(() => { done = true; });
  fake.setStatus(id, { pendingChanges: 1 });
  await settled();
  assert.equal(done, false);
  fake.setStatus(id, { pendingChanges: 2 });
  await waiting;
  const mine = new Error('mine');
  await assert.rejects(db.waitForStatus(() => { throw mine; }), (e) => e === mine);
  for (const wait of [(s: AbortSignal) => db.waitForStatus(() => false, s), (s: AbortSignal) => db.waitForFirstSync(s)]) {
    const controller = new AbortController();
    const aborted = assert.rejects(wait(controller.signal), (e) => (e as Error).name === 'AbortError');
    controller.abort();
    await aborted;
    await assert.rejects(wait(controller.signal), (e) => (e as Error).name === 'AbortError');
  }
  await assert.rejects(db.waitForStatus(5 as never), (e) => isSyncError(e, 'BadArgument'));
  await assert.rejects(db.waitForStatus(() => true, 5 as never), (e) => isSyncError(e, 'BadArgument', 'signal'));
  const closed = assert.rejects(db.waitForStatus(() => false), (e) => isSyncError(e, 'Closed'));
  await db.close();
  await closed;
});

test('an error of the engine keeps table and row', async () => {
  fake.onSql = () => { throw Object.assign(nativeError('Constraint', 'no'), { table: 't', rowId: 'r' }); };
  await assert.rejects(db.execute('A'), { code: 'Constraint', table: 't', rowId: 'r' });
});
