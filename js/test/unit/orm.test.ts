/** The ORM drivers over the fake of `@omnii/sync/jest`. */
import assert from 'node:assert/strict';
import { afterEach, test } from 'node:test';
import { syncFake } from '../../jest/index';
import { openDatabase } from '../../index';
import { contractSchema } from '../contract/cases';
import { drizzleCases, drizzleSchema, kyselyCases } from '../contract/orm';

const connector = { fetchCredentials: () => Promise.resolve(null) };

afterEach(() => {
  syncFake.reset();
});

for (const [schema, cases] of [[drizzleSchema, drizzleCases], [contractSchema, kyselyCases]] as const) {
  for (const { name, run } of cases) {
    test(name, async () => {
      const db = await openDatabase({ schema, userId: 'u', connector });
      await run(db, assert);
      await db.close();
    });
  }
}
