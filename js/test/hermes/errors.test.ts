/** Bad input against the real engine: each a SyncError with a stable code, and the app keeps running. */
import { assert, cleanup, test, until } from '../../../scripts/host/harness';
import { type column, getConnector, Schema, type SyncConnector, SyncError, Table } from '../../index';
import { insertEntity, open, schema, syncError, temporaryDirectory } from './setup';

test('SQL that SQLite refuses is Sql; constraints are Constraint; writing by a reading method is ReadOnly', async () => {
  const db = await open();
  await assert.rejects(db.execute('SELEKT 1'), syncError('Sql', 'SELEKT'));
  await assert.rejects(db.getAll('SELECT * FROM nowhere'), syncError('Sql', 'nowhere'));
  await insertEntity(db, 'a');
  await assert.rejects(insertEntity(db, 'a'), syncError('Constraint'));
  await assert.rejects(
    db.execute('INSERT INTO sync_entities (id, entity_type, name, rank) VALUES (?, ?, ?, ?)', ['b', 't', 'n', 'many']),
    syncError('Constraint')
  );
  await assert.rejects(db.getAll("DELETE FROM sync_entities"), syncError('ReadOnly'));
  assert.deepEqual(await db.getAll('SELECT id FROM sync_entities'), [{ id: 'a' }]);
  assert.equal(db.currentStatus.pendingChanges, 1);
});

test('a closed database says Closed, closing again is fine', async () => {
  const db = await open();
  await Promise.all([db.close(), db.close()]);
  await db.close();
  for (const call of [() => db.execute('SELECT 1'), () => db.getAll('SELECT 1'), () => db.writeTransaction(() => 1), () => db.connect(), () => db.triggerSync()]) {
    await assert.rejects(call, syncError('Closed'));
  }
});

test('closing while calls are under way settles each of them', async () => {
  const db = await open();
  const calls = Array.from({ length: 50 }, (_, i) => insertEntity(db, `e${i}`).then(() => 'done', syncError('Closed')));
  await db.close();
  assert.equal((await Promise.all(calls)).length, 50);
});

test('a second open of the same file is AlreadyOpen and leaves the first alone', async () => {
  const directory = temporaryDirectory();
  const db = await open({ directory });
  await insertEntity(db, 'a');
  await assert.rejects(open({ directory }), syncError('AlreadyOpen'));
  assert.deepEqual(await db.getAll('SELECT id FROM sync_entities'), [{ id: 'a' }]);
  await db.close();
  assert.deepEqual(await (await open({ directory })).getAll('SELECT id FROM sync_entities'), [{ id: 'a' }]);
});

test("another user's file is refused, users have files of their own", async () => {
  const directory = temporaryDirectory();
  const one = await open({ directory, userId: 'one' });
  const two = await open({ directory, userId: 'two' });
  await insertEntity(one, 'a');
  assert.deepEqual(await two.getAll('SELECT id FROM sync_entities'), []);
  await (await open({ directory, userId: 'one', filename: 'named.db' })).close();
  await assert.rejects(open({ directory, userId: 'two', filename: 'named.db' }), syncError('UserMismatch'));
});

test('an unwritable directory is Unwritable', async () => {
  const directory = temporaryDirectory();
  __host.writeFile(`${directory}/file`, 'no directory');
  await assert.rejects(open({ directory: `${directory}/file/below` }), syncError('Unwritable'));
});

test('a file that is no database is CorruptDatabase and stays as it is', async () => {
  const directory = temporaryDirectory();
  const content = 'this is not a database. '.repeat(500);
  __host.writeFile(`${directory}/bad.db`, content);
  await assert.rejects(open({ directory, filename: 'bad.db' }), syncError('CorruptDatabase'));
  assert.equal(__host.readText(`${directory}/bad.db`), content);
  await assert.rejects(open({ directory, filename: 'bad.db' }), syncError('CorruptDatabase'), 'the claim on the file was given back');
  await open({ directory });
});

test('wrong options name the option', async () => {
  for (const [options, ...words] of [
    [{ userId: 5 }, "'userId'", 'a number'],
    [{ schema: {} }, "'schema'"],
    [{ connector: {} }, "'connector'", 'fetchCredentials'],
    [{ directory: 5 }, "'directory'"],
    [{ filename: 'a/b' }, "'filename'"],
    [{ sync: { pageLimit: 0 } }, "'sync.pageLimit'"],
    [{ sync: { pollMs: 5 } }, "'sync.pollMs'"],
  ] as [object, ...string[]][]) {
    await assert.rejects(open(options), syncError('InvalidOptions', ...words));
  }
});

test('an unknown column type is InvalidSchema', () => {
  assert.throws(
    () => new Schema({ t: new Table({ a: { type: 'bytes' } as unknown as typeof column.text }) }),
    syncError('InvalidSchema', "'t'", "'a'", "'bytes'")
  );
});

const misbehaving: [name: string, fetchCredentials: SyncConnector['fetchCredentials'], code: 'CredentialsFailed' | 'CredentialsTimeout' | 'Network', word: string][] = [
  ['throws', () => { throw new Error('no keychain'); }, 'CredentialsFailed', 'no keychain'],
  ['rejects', () => Promise.reject(new Error('no keychain')), 'CredentialsFailed', 'no keychain'],
  ['answers nonsense', () => Promise.resolve({ endpoint: 'nowhere', token: 'x' }), 'CredentialsFailed', 'endpoint'],
  ['needs the network', () => Promise.reject(new SyncError('Network', 'no renewal', true)), 'Network', 'no renewal'],
  ['hangs', () => new Promise(() => undefined), 'CredentialsTimeout', ''],
];
for (const [name, fetchCredentials, code, word] of misbehaving) {
  test(`fetchCredentials that ${name}: ${code}, and local work goes on`, async () => {
    const db = await open({ schema, connector: { fetchCredentials }, sync: { credentialsTimeoutMs: 100 } });
    await insertEntity(db, 'a');
    await db.connect();
    await until(() => db.currentStatus.error?.code === code, `${code} in the status`);
    assert.ok(db.currentStatus.error?.message.includes(word), db.currentStatus.error?.message ?? '');
    assert.equal(db.currentStatus.connected, false);
    await assert.rejects(db.triggerSync(), syncError(code, word));
    assert.deepEqual(await db.getAll('SELECT id FROM sync_entities'), [{ id: 'a' }]);
    assert.equal(db.currentStatus.pendingChanges, 1);
  });
}

test('closing while fetchCredentials is under way neither waits for it nor minds its late answer', async () => {
  let answer: (credentials: null) => void = () => undefined;
  const db = await open({ connector: { fetchCredentials: () => new Promise((resolve) => { answer = resolve; }) } });
  cleanup(() => { answer(null); });
  await db.connect();
  await until(() => db.currentStatus.connecting, 'connecting');
  await db.close();
  answer(null);
});

test("getConnector().fetchCredentials() does not wait for ever for an app that doesn't answer", async () => {
  await open({ connector: { fetchCredentials: () => new Promise(() => undefined) }, sync: { credentialsTimeoutMs: 50 } });
  await assert.rejects(getConnector().fetchCredentials(), syncError('CredentialsTimeout', '50 ms'));
});
