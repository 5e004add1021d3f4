import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { CredentialsHint, SyncConnector } from '../../connector';
import { createCredentialsResponder } from '../../credentials';
import { SyncError } from '../../errors';

const good = { endpoint: 'https://h/api/powersync//', token: 'tok' };

/** What the engine is told for one question. */
async function answerOf(fetchCredentials: unknown, isOpen = true): Promise<[string, string] | null> {
  let told: [string, string] | null = null;
  const provideCredentials = (_id: number, _request: number, json: string, error: string): void => {
    assert.equal(told, null, 'answered twice');
    told = [json, error];
  };
  const connector = { fetchCredentials } as SyncConnector;
  const context = { databaseId: 1, userId: 'u', connector, isWanted: () => isOpen, changed: () => undefined };
  await createCredentialsResponder({ provideCredentials }, context).answer(9);
  return told;
}

test('credentials are handed over with the expiry in milliseconds', async () => {
  const expiresAt = new Date(5_000);
  assert.deepEqual(await answerOf(async () => ({ ...good, expiresAt })), [
    '{"endpoint":"https://h/api/powersync","token":"tok","expiresAt":5000}',
    '',
  ]);
  assert.deepEqual(await answerOf(() => good), ['{"endpoint":"https://h/api/powersync","token":"tok","expiresAt":null}', '']);
  assert.deepEqual(await answerOf(async () => null), ['null', '']);
});

test('a closed database is told nothing', async () => {
  assert.equal(await answerOf(async () => good, false), null);
});

for (const [name, fetchCredentials, word] of [
  ['rejects', async () => { throw new Error('no network'); }, 'no network'],
  ['throws at once', () => { throw new Error('boom'); }, 'boom'],
  ['throws text', () => Promise.reject('plain'), 'plain'],
  ['rejects without a message', async () => { throw new Error(''); }, 'without a message'],
  ['answers nothing', async () => undefined, 'got undefined'],
  ['answers text', async () => 'tok', 'got a string'],
  ['no endpoint', async () => ({ token: 'tok' }), 'endpoint'],
  ['an endpoint without scheme', async () => ({ ...good, endpoint: 'h:1/api' }), 'https://'],
  ['no token', async () => ({ ...good, token: undefined }), 'token must be'],
  ['an empty token', async () => ({ ...good, token: '' }), 'an empty string'],
  ['a token with a line break', async () => ({ ...good, token: 'secret\nx' }), 'HTTP header'],
  ['a number as expiry', async () => ({ ...good, expiresAt: 5 }), 'expiresAt'],
  ['an invalid date', async () => ({ ...good, expiresAt: new Date(NaN) }), 'invalid Date'],
] as [string, () => unknown, string][]) {
  test(`a connector that misbehaves is an error message: ${name}`, async () => {
    const told = await answerOf(fetchCredentials);
    assert.ok(told);
    assert.equal(told[0], 'null');
    assert.ok(told[1].includes(word), told[1]);
    assert.ok(!told[1].includes('secret'));
  });
}

test('a connector that needs the network to know says so; no other code of its own passes', async () => {
  const failing = (error: Error): Promise<[string, string] | null> => answerOf(() => Promise.reject(error));
  assert.deepEqual(await failing(new SyncError('Network', 'no renewal eyJhbGci.eyJzdWIi.c2ln', true)), [
    'null',
    '{"code":"Network","message":"no renewal [token]"}',
  ]);
  assert.deepEqual(await failing(new SyncError('Sql', 'x')), ['null', '{"code":"CredentialsFailed","message":"x"}']);
});

test('a token in a message of the app is blotted out', async () => {
  const told = await answerOf(() => { throw new Error('bad jwt eyJhbGci.eyJzdWIi.c2ln here'); });
  assert.deepEqual(told, ['null', '{"code":"CredentialsFailed","message":"bad jwt [token] here"}']);
});

test('from the second question on the connector is told the token it gave last', async () => {
  const hints: (CredentialsHint | undefined)[] = [];
  const connector: SyncConnector = {
    fetchCredentials: async (hint) => {
      hints.push(hint);
      return { ...good, token: `t${hints.length}` };
    },
  };
  const context = { databaseId: 1, userId: 'u', connector, isWanted: () => true, changed: () => undefined };
  const { answer } = createCredentialsResponder({ provideCredentials: () => undefined }, context);
  await answer(1);
  await answer(2);
  await answer(3);
  assert.deepEqual(hints, [{ userId: 'u' }, { previousToken: 't1', userId: 'u' }, { previousToken: 't2', userId: 'u' }]);
});
