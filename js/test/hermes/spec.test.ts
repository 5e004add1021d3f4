/** The native module's answers to ids and words that mean nothing; `Database` never lets them come to this. */
import { assert, test } from '../../../scripts/host/harness';
import native from '../../NativeOmniiSync';
import { open } from './setup';

const failsWith =
  (code: string, word = '') =>
  (thrown: unknown): boolean => {
    assert.ok(thrown instanceof Error, 'not an Error');
    assert.equal((thrown as { code?: unknown }).code, code, thrown.message);
    assert.ok(thrown.message.includes(word), `"${thrown.message}" does not say "${word}"`);
    return true;
  };

const calls = {
  reconcile: (id: number) => native.reconcile(id),
  getParkedChanges: (id: number) => native.getParkedChanges(id),
  retryParked: (id: number) => native.retryParked(id, ''),
  discardParked: (id: number) => native.discardParked(id, ''),
  notify: (id: number) => native.notify(id, 'foreground'),
  prepareForSuspend: (id: number) => native.prepareForSuspend(id),
  resume: (id: number) => native.resume(id),
  signOut: (id: number) => native.signOut(id, 'keep', 0),
};

for (const [name, call] of Object.entries(calls)) {
  test(`${name}: an unknown database is Closed, a number that is no id is BadArgument`, async () => {
    await assert.rejects(call(4_000_000_000), failsWith('Closed'));
    for (const id of [-1, 0.5, NaN, Infinity]) {
      await assert.rejects(call(id), failsWith('BadArgument', 'databaseId'));
    }
  });
}

test('words and lists that mean nothing are BadArgument, and the database stays open', async () => {
  const db = await open();
  // The ids count up; only this database is open.
  let id = 0;
  for (let tried = 1; id === 0 && tried < 1000; tried++) {
    id = await native.query(tried, 'SELECT 1', []).then(() => tried, () => 0);
  }
  await assert.rejects(native.notify(id, 'later'), failsWith('BadArgument', 'foreground'));
  await assert.rejects(native.signOut(id, 'burn', 0), failsWith('BadArgument', 'clearWhenSynced'));
  for (const timeoutMs of [-1, 0.5, NaN]) {
    await assert.rejects(native.signOut(id, 'keep', timeoutMs), failsWith('BadArgument', 'timeoutMs'));
  }
  for (const ids of ['x', '{}', '[1.5]', '["1"]', '[null]']) {
    await assert.rejects(native.retryParked(id, ids), failsWith('BadArgument', 'ids'));
    await assert.rejects(native.discardParked(id, ids), failsWith('BadArgument', 'ids'));
  }
  assert.deepEqual(await db.getAll('SELECT 1 AS one'), [{ one: 1 }]);
});
