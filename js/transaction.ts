/**
 * One write transaction around a callback. Owns that it ends exactly once: committed when the callback resolves, rolled
 * back when it throws; statements the callback forgot to await are waited for first.
 */
import { SyncError, toSyncError } from './errors';
import type { Spec } from './NativeOmniiSync';
import { createQueries, type Queries, type Run } from './queries';
import type { NativeResult } from './types';

/** What the callback of `writeTransaction` works with. After the callback has ended every method rejects with `TransactionEnded`. */
export type Transaction = Queries;

/** Failures of a rollback that only say that there is nothing left to roll back. */
const alreadyOver: readonly string[] = ['Closed', 'NotOpen', 'TransactionEnded'];

async function rollBack(native: Spec, databaseId: number, transactionId: number): Promise<void> {
  try {
    await native.rollback(databaseId, transactionId);
  } catch (thrown) {
    const error = toSyncError(thrown);
    if (!alreadyOver.includes(error.code)) {
      console.error('@omnii/sync: a transaction could not be rolled back', error);
    }
  }
}

/** Begins, runs, ends. What the callback throws is rethrown unchanged; `guard` makes `SyncError`s of the engine's rejections. */
export async function runTransaction<T>(
  native: Spec,
  databaseId: number,
  guard: <R>(work: () => Promise<R>) => Promise<R>,
  callback: (tx: Transaction) => Promise<T> | T
): Promise<T> {
  const transactionId = await guard(() => native.begin(databaseId, 'write'));
  const inFlight = new Set<Promise<unknown>>();
  let ended = false;
  const run: Run = async (sql, parameters) => {
    if (ended) {
      throw new SyncError(
        'TransactionEnded',
        'this transaction has ended; await every statement inside the callback of writeTransaction()'
      );
    }
    const statement = guard(
      () => native.execute(databaseId, transactionId, sql, parameters) as Promise<NativeResult>
    );
    inFlight.add(statement);
    try {
      return await statement;
    } finally {
      inFlight.delete(statement);
    }
  };

  let result: T;
  try {
    result = await callback(createQueries(run, run));
  } catch (thrown) {
    ended = true;
    await Promise.allSettled(inFlight);
    await rollBack(native, databaseId, transactionId);
    throw thrown;
  }
  ended = true;
  await Promise.allSettled(inFlight);
  try {
    await guard(() => native.commit(databaseId, transactionId));
  } catch (thrown) {
    await rollBack(native, databaseId, transactionId);
    throw thrown;
  }
  return result;
}
