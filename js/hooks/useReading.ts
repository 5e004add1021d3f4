/** From what a query hook is given to what it reads: the same reading as long as database, statement and options mean the same. */
import { useMemo } from 'react';
import type { Database } from '../database';
import type { CompilableQuery } from './liveDatabase';
import { createOnceReading } from './onceReading';
import { executeStatement, optionsKey, sharedReading } from './queryStore';
import { emptySnapshot, failedSnapshot, fixedReading, type Reading, waitingReading } from './reading';
import { type Statement, statementOf } from './statement';
import type { UseQueryOptions } from './types';
import type { DatabaseSource } from './useDatabaseSource';

export type UsedReading<RowType> = {
  readonly database: Database | null;
  readonly statement: Statement<RowType> | null;
  readonly reading: Reading<RowType>;
};

/** `once`: a reading of the component's own, that runs once. */
export function useReading<RowType>(
  { database, failure }: DatabaseSource,
  query: string | CompilableQuery<RowType>,
  parameters: readonly unknown[] | undefined,
  options: UseQueryOptions,
  once: boolean
): UsedReading<RowType> {
  const found = statementOf(query, parameters);
  const error = found instanceof Error ? found : failure;
  const statement = found instanceof Error ? null : found;
  // What throws anew at each render says the same each time.
  const errorKey = found instanceof Error ? `${found.name}: ${found.message}` : failure;
  return useMemo(() => {
    const live = database;
    let reading: Reading<RowType>;
    if (error !== null) {
      reading = fixedReading(failedSnapshot(error));
    } else if (live === null || statement === null) {
      reading = waitingReading;
    } else if (once) {
      reading = createOnceReading(() => executeStatement(live, statement));
    } else {
      reading = sharedReading(live, statement, options);
    }
    return { database, statement, reading };
    // Statement and options count by what they say, not by which objects they are.
  }, [database, statement?.key, optionsKey(options), once, errorKey]);
}

/** What the Suspense hook shows where no database will ever be. */
export const emptyReading: Reading<never> = fixedReading(emptySnapshot);
