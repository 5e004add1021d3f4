/** The ORM drivers over the real engine. */
import { assert, test } from '../../../scripts/host/harness';
import { contractSchema } from '../contract/cases';
import { drizzleCases, drizzleSchema, kyselyCases } from '../contract/orm';
import { open } from './setup';

for (const [schema, cases] of [[drizzleSchema, drizzleCases], [contractSchema, kyselyCases]] as const) {
  for (const { name, run } of cases) {
    test(name, async () => run(await open({ schema }), assert));
  }
}
