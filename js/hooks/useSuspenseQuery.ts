import { useMemo, useState } from 'react';
import type { CompilableQuery } from './liveDatabase';
import { executeStatement } from './queryStore';
import { asError, type Reading } from './reading';
import type {
  ReadonlySuspenseQueryResult, SuspenseQueryResult, UseDifferentialQueryOptions, UseQueryOptions,
} from './types';
import { useDatabaseSource } from './useDatabaseSource';
import { emptyReading, type UsedReading, useReading } from './useReading';
import { useShown } from './useShown';

/** The rows, or what React wants to be thrown: a promise to wait for, an error to show. */
function take<RowType>(reading: Reading<RowType>): readonly RowType[] {
  const snapshot = reading.getSnapshot();
  if (snapshot.isLoading) {
    // eslint-disable-next-line @typescript-eslint/only-throw-error -- how a component suspends
    throw reading.ready();
  }
  if (snapshot.error !== undefined) {
    throw snapshot.error;
  }
  return snapshot.data;
}

function useWatched<RowType>(
  used: UsedReading<RowType>,
  options: UseDifferentialQueryOptions<RowType>
): SuspenseQueryResult<RowType> {
  const shown = useShown(used, options);
  take(used.reading);
  return shown;
}

/** Takes the rows of a watched query once, and lets go of it: the state of a component that suspends is not kept by React. */
function useOnce<RowType>(used: UsedReading<RowType>): SuspenseQueryResult<RowType> {
  const { database, statement, reading } = used;
  const first = useMemo(() => take(reading), [reading]);
  const [again, setAgain] = useState<{ of: unknown; data: RowType[] } | { of: unknown; error: Error } | null>(null);
  const refresh = useMemo(
    () => async (signal?: { readonly aborted: boolean }) => {
      if (database === null || statement === null) {
        return;
      }
      try {
        const data = await executeStatement(database, statement);
        if (signal?.aborted !== true) {
          setAgain({ of: reading, data });
        }
      } catch (thrown) {
        setAgain({ of: reading, error: asError(thrown) });
      }
    },
    [database, statement, reading]
  );
  const latest = again?.of === reading ? again : null;
  if (latest !== null && 'error' in latest) {
    throw latest.error;
  }
  return { data: latest?.data ?? (first as RowType[]), refresh };
}

/**
 * As `useQuery`, for a component below a `Suspense` boundary: it suspends until there are rows, also while the database is not
 * open yet or nobody is signed in, and throws failures to the nearest error boundary. With other parameters it suspends again;
 * begin such a change in a transition to keep the rows before on the screen. Where the platform is not supported there are
 * no rows. `runQueryOnce` must not change while the component is mounted.
 */
export function useSuspenseQuery<RowType = any>( // eslint-disable-line @typescript-eslint/no-explicit-any -- as PowerSync has it
  query: string | CompilableQuery<RowType>,
  parameters?: readonly unknown[],
  options?: UseQueryOptions & { rowComparator?: undefined }
): SuspenseQueryResult<RowType>;
export function useSuspenseQuery<RowType = any>( // eslint-disable-line @typescript-eslint/no-explicit-any -- as PowerSync has it
  query: string | CompilableQuery<RowType>,
  parameters?: readonly unknown[],
  options?: UseDifferentialQueryOptions<RowType>
): ReadonlySuspenseQueryResult<RowType>;
export function useSuspenseQuery<RowType>(
  query: string | CompilableQuery<RowType>,
  parameters?: readonly unknown[],
  options: UseDifferentialQueryOptions<RowType> = {}
): SuspenseQueryResult<RowType> {
  const source = useDatabaseSource();
  const isMissing = source.failure?.code === 'Unsupported';
  const found = useReading(source, query, parameters, options, false);
  const used = isMissing ? { ...found, reading: emptyReading } : found;
  if (source.database === null && !isMissing && source.failure === null) {
    // eslint-disable-next-line @typescript-eslint/only-throw-error -- how a component suspends
    throw source.changed();
  }
  return options.runQueryOnce === true ? useOnce(used) : useWatched(used, options);
}
