import type { CompilableQuery } from './liveDatabase';
import type { ReadonlyUseQueryResult, UseDifferentialQueryOptions, UseQueryOptions, UseQueryResult } from './types';
import { useDatabaseSource } from './useDatabaseSource';
import { useReading } from './useReading';
import { useShown } from './useShown';

/**
 * The rows of a query, now and after each change. `query` is SQL or a query of a query builder, `parameters` belong to SQL;
 * both may be made inline, they count by value. Components that show the same query share one watch, which ends when the
 * last of them is unmounted. Two queries of the same query builder with the same SQL must make the same rows.
 *
 * Loading while the database is not open yet or nobody is signed in. Never throws: failures are in `error`, also that there is
 * no provider above, that the database could not be opened (that of `useSyncState().error`), and `Unsupported`.
 */
export function useQuery<RowType = any>( // eslint-disable-line @typescript-eslint/no-explicit-any -- as PowerSync has it
  query: string | CompilableQuery<RowType>,
  parameters?: readonly unknown[],
  options?: UseQueryOptions & { rowComparator?: undefined }
): UseQueryResult<RowType>;
export function useQuery<RowType = any>( // eslint-disable-line @typescript-eslint/no-explicit-any -- as PowerSync has it
  query: string | CompilableQuery<RowType>,
  parameters?: readonly unknown[],
  options?: UseDifferentialQueryOptions<RowType>
): ReadonlyUseQueryResult<RowType>;
export function useQuery<RowType>(
  query: string | CompilableQuery<RowType>,
  parameters?: readonly unknown[],
  options: UseDifferentialQueryOptions<RowType> = {}
): UseQueryResult<RowType> {
  const source = useDatabaseSource();
  return useShown(useReading(source, query, parameters, options, options.runQueryOnce === true), options);
}
