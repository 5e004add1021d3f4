import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkParameters, checkSql } from '../../parameters';
import { isSyncError } from './expect';

test('values that SQLite knows pass unchanged; a view becomes the bytes it shows', () => {
  const buffer = new Uint8Array([1, 2, 3]).buffer;
  const values = [null, true, 1, -0.5, Infinity, 2n ** 62n, 'a\0😀', buffer];
  assert.deepEqual(checkParameters(values), values);
  assert.deepEqual(checkParameters([new Uint8Array(buffer, 1, 1)]), [new Uint8Array([2]).buffer]);
  assert.deepEqual(checkParameters(undefined), []);
});

for (const [name, parameters, ...words] of [
  ['no array', { a: 1 }, 'an array', 'an object'],
  ['null', null, 'null'],
  ['undefined', ['a', undefined], 'parameter 2', 'null'],
  ['a hole', [1, , 2], 'parameter 2', 'undefined'],
  ['a date', [new Date()], 'toISOString'],
  ['an object', [{}], 'JSON.stringify'],
  ['an array', [[]], 'JSON.stringify'],
  ['NaN', [NaN], 'NaN'],
  ['a function', [() => 1], 'a function'],
  ['more than 64 bits', [2n ** 63n], '64 bits'],
] as [string, unknown, ...string[]][]) {
  test(`refuses: ${name}`, () => {
    assert.throws(() => checkParameters(parameters), (thrown) => isSyncError(thrown, 'BadArgument', ...words));
  });
}

test('refuses what is no statement', () => {
  for (const sql of [undefined, null, '', '  ', 5, {}]) {
    assert.throws(() => checkSql(sql), (thrown) => isSyncError(thrown, 'BadArgument', 'SQL'));
  }
});
