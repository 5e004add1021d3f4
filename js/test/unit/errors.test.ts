import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SyncError, toSyncError } from '../../errors';
import { nativeError } from '../fakes/native';

test('a SyncError is an Error and passes through', () => {
  const error = new SyncError('Busy', 'wait', true);
  assert.ok(error instanceof Error);
  assert.equal(error.name, 'SyncError');
  assert.equal(toSyncError(error), error);
});

test('a native error keeps code, message, retryable and stack', () => {
  const native = nativeError('Network', 'the backend can not be reached', true);
  const error = toSyncError(native);
  assert.deepEqual([error.code, error.message, error.retryable], ['Network', native.message, true]);
  assert.equal(error.stack, native.stack);
});

for (const [thrown, message] of [
  [nativeError('NEW_CODE', 'hm'), 'hm (NEW_CODE)'],
  [new TypeError('x is not a function'), 'x is not a function'],
  ['text', 'text'],
  [null, 'null'],
  [{}, 'an error without a message'],
] as [unknown, string][]) {
  test(`anything else is Internal: ${message}`, () => {
    const error = toSyncError(thrown);
    assert.deepEqual([error.code, error.message, error.retryable], ['Internal', message, false]);
  });
}
