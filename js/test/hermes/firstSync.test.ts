/** Waiting for the first sync, with the real engine. */
import { assert, test } from '../../../scripts/host/harness';
import { waitForFirstSync } from '../../index';
import { device, nameOf, quiet, schema, signUp, startServer } from './backend';
import { insertEntity, open, syncError, unreachable } from './setup';

test('resolves when the data is there, and at once from then on', async () => {
  const account = await signUp(await startServer());
  const a = await device(account);
  const id = crypto.randomUUID();
  await insertEntity(a, id, 'there');
  await a.triggerSync();
  const b = await device(account);
  const waiting = b.waitForFirstSync({ timeoutMs: 20_000 });
  await b.connect();
  await waiting;
  assert.equal(await nameOf(b, id), 'there');
  await b.disconnect();
  await waitForFirstSync({ timeoutMs: 0 });
});

test('rejects when nobody is signed in', async () => {
  const db = await open();
  const waiting = assert.rejects(db.waitForFirstSync({ timeoutMs: 20_000 }), syncError('NoCredentials'));
  await db.connect();
  await waiting;
});

test('rejects when the token is refused', async () => {
  const url = await startServer();
  const { userId } = await signUp(url);
  const fetchCredentials = () => Promise.resolve({ endpoint: `${url}/api/powersync`, token: 'rubbish' });
  const db = await open({ schema, userId, sync: quiet, connector: { fetchCredentials } });
  const waiting = assert.rejects(db.waitForFirstSync({ timeoutMs: 20_000 }), syncError('Unauthorized'));
  await db.connect();
  await waiting;
});

test('without a backend it is waited for, until the time is over, it is aborted, or the database is closed', async () => {
  const db = await open({ connector: unreachable });
  await db.connect();
  await assert.rejects(db.waitForFirstSync({ timeoutMs: 100 }), syncError('Timeout'));
  const controller = new AbortController();
  const aborted = assert.rejects(
    db.waitForFirstSync({ signal: controller.signal }),
    (thrown: unknown) => thrown instanceof Error && thrown.name === 'AbortError'
  );
  controller.abort();
  await aborted;
  const closed = assert.rejects(db.waitForFirstSync(), syncError('Closed'));
  await db.close();
  await closed;
});
