import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkOpenOptions } from '../../options';
import { column, Schema, Table } from '../../schema';
import { isSyncError } from './expect';

const schema = new Schema({ t: new Table({ a: column.text }) });
const connector = { fetchCredentials: () => Promise.resolve(null) };
const good = { schema, userId: 'u', connector };

test('what is left out becomes null or empty', () => {
  assert.deepEqual(checkOpenOptions(good).native, {
    schema: {
      tables: [
        {
          name: 't',
          columns: [{ name: 'a', type: 'text' }],
          indexes: [],
          required: [],
          parents: [],
          conflictPolicy: 'lastWriteWins',
        },
      ],
    },
    userId: 'u',
    directory: null,
    filename: null,
    sync: {},
  });
});

test('sync options are passed on as given, undefined ones are not', () => {
  const sync = { pollIntervalMs: 10, uploadThrottleMs: 0, pageLimit: 5000, reconcileIntervalMs: 2_592_000_000, stallTimeoutMs: 10 };
  const given = { ...sync, overlapMs: undefined };
  assert.deepEqual(checkOpenOptions({ ...good, sync: given }).native.sync, sync);
});

test('a file to import and a key are passed on as the engine takes them', () => {
  const { native } = checkOpenOptions({ ...good, importFrom: 'old.db', encryptionKey: 'pass phrase' });
  assert.equal(native.importFrom, 'old.db');
  assert.deepEqual(native.encryptionKey, { passphrase: 'pass phrase' });
  const bytes = new Uint8Array(64).fill(0x0a).subarray(32);
  for (const encryptionKey of [bytes, bytes.slice().buffer]) {
    assert.deepEqual(checkOpenOptions({ ...good, encryptionKey }).native.encryptionKey, { raw: '0a'.repeat(32) });
  }
  const none = checkOpenOptions({ ...good, importFrom: null, encryptionKey: undefined }).native;
  assert.deepEqual(none, checkOpenOptions(good).native);
});

for (const [name, options, ...words] of [
  ['nothing', undefined, 'undefined'],
  ['no schema', { ...good, schema: undefined }, "'schema'", 'undefined'],
  ['a schema as JSON', { ...good, schema: schema.toJSON() }, "'schema'", 'an object'],
  ['a user id of another type', { ...good, userId: 5 }, "'userId'", 'a number'],
  ['an empty user id', { ...good, userId: '' }, "'userId'", 'an empty string'],
  ['no user id', { ...good, userId: null }, "'userId'", 'null'],
  ['no connector', { ...good, connector: undefined }, "'connector'", 'undefined'],
  ['a connector without its method', { ...good, connector: {} }, "'connector'", 'fetchCredentials'],
  ['a directory of another type', { ...good, directory: 1 }, "'directory'", 'a number'],
  ['an empty directory', { ...good, directory: '' }, "'directory'", 'an empty string'],
  ['a NUL in the directory', { ...good, directory: '/a\0b' }, "'directory'", 'NUL'],
  ['a path as filename', { ...good, filename: '../x.db' }, "'filename'", 'directory'],
  ['nothing to import', { ...good, importFrom: '' }, "'importFrom'", 'an empty string'],
  ['no key', { ...good, encryptionKey: null }, "'encryptionKey'", 'null'],
  ['an empty key', { ...good, encryptionKey: '' }, "'encryptionKey'", 'empty'],
  ['a key of another type', { ...good, encryptionKey: 5 }, "'encryptionKey'", 'a number'],
  ['a key too short', { ...good, encryptionKey: new Uint8Array(16) }, "'encryptionKey'", '32', '16'],
  ['an unknown option', { ...good, userID: 'u' }, "'userID'", 'userId'],
  ['sync is no object', { ...good, sync: 5 }, "'sync'", 'a number'],
  ['an unknown sync option', { ...good, sync: { pollInterval: 1 } }, "'sync.pollInterval'", 'pollIntervalMs'],
  ['a time as text', { ...good, sync: { pollIntervalMs: '1s' } }, "'sync.pollIntervalMs'", 'a string'],
  ['a negative time', { ...good, sync: { overlapMs: -1 } }, "'sync.overlapMs'", '-1'],
  ['no finite time', { ...good, sync: { maxBackoffMs: Infinity } }, "'sync.maxBackoffMs'", 'Infinity'],
  ['a page too large', { ...good, sync: { pageLimit: 5001 } }, "'sync.pageLimit'", '5000', '5001'],
  ['a sweep too rare', { ...good, sync: { reconcileIntervalMs: 2_592_000_001 } }, "'sync.reconcileIntervalMs'", '2592000000'],
  ['no time to stall', { ...good, sync: { stallTimeoutMs: 9 } }, "'sync.stallTimeoutMs'", '10', '9'],
  ['a fraction', { ...good, sync: { pageLimit: 1.5 } }, "'sync.pageLimit'", '1.5'],
] as [string, unknown, ...string[]][]) {
  test(`refuses: ${name}`, () => {
    assert.throws(() => checkOpenOptions(options), (thrown) => isSyncError(thrown, 'InvalidOptions', ...words));
  });
}
