/** New credentials: what is told to the engine, and what is no news. */
import assert from 'node:assert/strict';
import { afterEach, beforeEach, test } from 'node:test';
import { column, type Credentials, type CredentialsChange, type CredentialsHint, type Database, openDatabase, Schema, type SyncConnector, Table } from '../../index';
import { fake } from '../fakes/native';
import { consoleErrors, settled } from './expect';

const schema = new Schema({ t: new Table({ a: column.text }) });

let tell: (change?: CredentialsChange) => void = () => assert.fail('nobody listens');
let unsubscribed = 0;
let answer: (hint?: CredentialsHint) => Promise<Credentials | null>;
let db: Database;
let id: number;

const token = (value: string): Credentials => ({ endpoint: 'http://h', token: value });
const open = async (connector: SyncConnector): Promise<Database> => {
  const opened = await openDatabase({ schema, userId: 'u', connector });
  id = fake.openIds().at(-1) ?? 0;
  fake.log.length = 0;
  return opened;
};
/** How often the engine was told. */
const told = (): number => fake.log.filter((call) => call === `notify(${id}, credentialsChanged)`).length;

beforeEach(async () => {
  unsubscribed = 0;
  answer = async () => token('a');
  db = await open({
    fetchCredentials: (hint) => answer(hint),
    subscribe: (onChanged) => {
      tell = onChanged;
      return () => { unsubscribed += 1; };
    },
  });
});
afterEach(() => db.close());

test('before the first question there is nothing to be changed', () => {
  tell();
  tell({ token: 'x' });
  assert.equal(told(), 0);
});

test('another token is news, the one handed out last is not, nor is that of another user', async () => {
  await fake.requestCredentials(id);
  tell({ token: 'a' });
  tell({ token: 'a', userId: 'u' });
  tell({ token: 'b', userId: 'somebody else' });
  assert.equal(told(), 0);
  tell({ token: 'b', userId: 'u' });
  assert.equal(told(), 1);
  tell();
  assert.equal(told(), 2, 'without a token it counts');
});

test('signing in after nobody was signed in is news', async () => {
  answer = async () => null;
  await fake.requestCredentials(id);
  tell({ token: 'a' });
  assert.equal(told(), 1);
});

test('what a client tells while it refreshes for an answer is no news: no loop', async () => {
  answer = async () => {
    tell({ token: 'fresh' });
    tell();
    return token('fresh');
  };
  await fake.requestCredentials(id);
  tell({ token: 'fresh' });
  assert.equal(told(), 0);
});

test('what goes beyond the answer under way is told once it is given', async () => {
  answer = async () => {
    tell({ token: 'newer' });
    return token('old');
  };
  await fake.requestCredentials(id);
  assert.equal(told(), 1);
  answer = async () => {
    tell();
    return null;
  };
  await fake.requestCredentials(id);
  assert.equal(told(), 2, 'signed in while the answer was: signed out');
  answer = async () => {
    tell({ token: 'good' });
    throw new Error('refused');
  };
  await fake.requestCredentials(id);
  assert.equal(told(), 3);
});

test('a question that hangs does not stop the news for ever', async () => {
  answer = () => new Promise(() => undefined);
  void fake.requestCredentials(id);
  answer = async () => token('b');
  await fake.requestCredentials(id);
  tell({ token: 'c' });
  assert.equal(told(), 1);
});

test('closing ends the subscription; what is told afterwards reaches nobody', async () => {
  await fake.requestCredentials(id);
  await db.close();
  assert.equal(unsubscribed, 1);
  const errors = await consoleErrors(async () => {
    tell({ token: 'b' });
    await settled();
  });
  assert.deepEqual([told(), errors], [0, []]);
});

test('signing out ends the subscription at once', async () => {
  await fake.requestCredentials(id);
  const leaving = db.signOut();
  assert.equal(unsubscribed, 1);
  tell({ token: 'b' });
  await leaving;
  assert.equal(told(), 0);
});

test('a subscribe that throws, or answers nothing, is reported at most and harms nothing', async () => {
  await db.close();
  for (const [subscribe, reports] of [
    [() => { throw new Error('mine'); }, 1],
    [() => undefined, 0],
    [() => () => { throw new Error('mine'); }, 1],
  ] as [SyncConnector['subscribe'], number][]) {
    const errors = await consoleErrors(async () => {
      db = await open({ fetchCredentials: () => answer(), subscribe } as SyncConnector);
      await db.close();
    });
    assert.equal(errors.length, reports);
  }
});
