/** The contract over the fake of `@omnii/sync/jest`. */
import assert from 'node:assert/strict';
import { afterEach, test } from 'node:test';
import { syncFake } from '../../jest/index';
import { openDatabase } from '../../index';
import { contractSchema } from '../contract/cases';
import { live } from '../contract/live';
import { statements } from '../contract/statements';
import { transactions } from '../contract/transactions';

const connector = { fetchCredentials: () => Promise.resolve(null) };

afterEach(() => {
  syncFake.reset();
});

for (const { name, run } of [...statements, ...transactions, ...live]) {
  test(name, async () => {
    const db = await openDatabase({ schema: contractSchema, userId: 'u', connector });
    await run(db, assert);
    await db.close();
  });
}
