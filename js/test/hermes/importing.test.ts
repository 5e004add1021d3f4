/** `importFrom` and `encryptionKey` from JavaScript. The engine's own tests have the cases; the host is built without SQLCipher. */
import { assert, test } from '../../../scripts/host/harness';
import { column, type Database, Schema, SyncError, type SyncErrorCode, Table } from '../../index';
import { open, temporaryDirectory } from './setup';

const root = (process.argv[1] ?? '').replace(/\/js\/test\/.*$/, '');
/** Made by the real PowerSync; some of it is only in the log beside it. */
const fixture = `${root}/rust/engine/fixtures/powersync/powersync.sqlite`;

const schema = new Schema({
  entities: new Table({
    name: column.text, properties: column.json, rank: column.integer, score: column.real, done: column.boolean, user_id: column.text,
  }),
  drafts: new Table({ text: column.text }, { localOnly: true }),
});

const failsWith =
  (code: SyncErrorCode, word: string) =>
  (thrown: unknown): boolean => {
    assert.ok(thrown instanceof SyncError, String(thrown));
    assert.equal(thrown.code, code, thrown.message);
    assert.ok(thrown.message.includes(word), thrown.message);
    return true;
  };

test('rows and pending uploads of a PowerSync database are taken in once', async () => {
  const directory = temporaryDirectory();
  const openFrom = (): Promise<Database> => open({ schema, directory, importFrom: fixture });
  const db = await openFrom();
  const result = { rows: 23, changes: 7, skippedRows: 6, skippedChanges: 8, lostValues: 1 };
  assert.deepEqual(await db.getImportResult(), result);
  assert.deepEqual(await db.getAll('SELECT text FROM drafts ORDER BY id'), [{ text: 'a draft' }, { text: 'a late draft' }]);
  const row = await db.get<{ name: string; done: number }>("SELECT name, done FROM entities WHERE id LIKE '%001'");
  assert.deepEqual(row, { name: 'changed twice', done: 1 });
  const transaction = await db.getNextCrudTransaction();
  assert.deepEqual(transaction?.crud.map(({ op, table, opData }) => [op, table, opData?.['name']]), [['PUT', 'entities', 'new here']]);
  assert.equal(db.currentStatus.pendingChanges, 7);
  await db.execute('DELETE FROM drafts');
  await db.close();
  const again = await openFrom();
  assert.deepEqual(await again.getImportResult(), result);
  assert.deepEqual(await again.getAll('SELECT text FROM drafts'), []);
});

test('a file that is not there is none; one that is no database says so, and opening without it works', async () => {
  const directory = temporaryDirectory();
  const db = await open({ schema, directory, importFrom: 'omnii-powersync.db' });
  assert.equal(await db.getImportResult(), null);
  await db.close();
  const notOne = `${root}/package.json`;
  await assert.rejects(open({ schema, directory, importFrom: notOne }), failsWith('ImportFailed', 'package.json'));
  const without = await open({ schema, directory });
  assert.equal(await without.getImportResult(), null);
});

test('a key in a build without SQLCipher is Unsupported, and no message has it', async () => {
  for (const encryptionKey of ['very secret', new Uint8Array(32).fill(7), new Uint8Array(32).buffer]) {
    await assert.rejects(open({ encryptionKey }), failsWith('Unsupported', 'sqlcipher'));
  }
  const db = await open();
  await assert.rejects(db.rekey('very secret'), (thrown) => {
    assert.ok(!String(thrown).includes('secret'));
    return failsWith('Unsupported', 'sqlcipher')(thrown);
  });
  await assert.rejects(db.rekey(new Uint8Array(31)), failsWith('BadArgument', '31'));
  assert.deepEqual(await db.getAll('SELECT 1 AS one'), [{ one: 1 }]);
});
