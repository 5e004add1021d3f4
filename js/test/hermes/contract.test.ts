/** The contract that the fake of `@omnii/sync/jest` keeps, over the real engine. */
import { assert, test } from '../../../scripts/host/harness';
import { contractSchema } from '../contract/cases';
import { live } from '../contract/live';
import { statements } from '../contract/statements';
import { transactions } from '../contract/transactions';
import { open } from './setup';

for (const { name, run } of [...statements, ...transactions, ...live]) {
  test(name, async () => run(await open({ schema: contractSchema }), assert));
}
