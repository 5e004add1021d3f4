/**
 * What a query hook shows of a reading: one immutable result, kept as long as nothing changed for this component.
 *
 * It is derived from the reading's snapshot and from what the component has shown last, which is taken over when React has
 * committed it: a render that is given up leaves no trace.
 */
import { useLayoutEffect, useRef, useSyncExternalStore } from 'react';
import type { Database } from '../database';
import { keepRows } from './keepRows';
import type { QuerySnapshot } from './reading';
import type { UseDifferentialQueryOptions, UseQueryResult } from './types';
import type { UsedReading } from './useReading';

type Shown<RowType> = {
  readonly database: Database | null;
  readonly result: UseQueryResult<RowType>;
};

function derive<RowType>(
  before: Shown<RowType> | null,
  { database, reading }: UsedReading<RowType>,
  snapshot: QuerySnapshot<RowType>,
  { rowComparator, reportFetching = true }: UseDifferentialQueryOptions<RowType>
): Shown<RowType> {
  // Never rows of another database: they are another user's.
  const last = before !== null && before.database === database ? before.result : null;
  const isCarried = database !== null && snapshot.isLoading && last !== null && !last.isLoading;
  let data = isCarried ? last.data : snapshot.data;
  if (!isCarried && rowComparator !== undefined && last !== null) {
    data = keepRows(last.data, data, rowComparator);
  }
  const isLoading = snapshot.isLoading && !isCarried;
  const isFetching = reportFetching && snapshot.isFetching;
  const error = snapshot.error;
  const { refresh } = reading;
  if (
    last !== null &&
    last.data === data &&
    last.isLoading === isLoading &&
    last.isFetching === isFetching &&
    last.error === error &&
    last.refresh === refresh &&
    before !== null
  ) {
    return before;
  }
  return { database, result: Object.freeze({ data: data as RowType[], isLoading, isFetching, error, refresh }) };
}

export function useShown<RowType>(
  used: UsedReading<RowType>,
  options: UseDifferentialQueryOptions<RowType>
): UseQueryResult<RowType> {
  const committed = useRef<Shown<RowType> | null>(null);
  /** Asked again for the same, it has to answer the same. */
  const derived = useRef<{ from: readonly unknown[]; shown: Shown<RowType> } | null>(null);
  const getShown = (): Shown<RowType> => {
    const snapshot = used.reading.getSnapshot();
    const from = [committed.current, used, snapshot, options.reportFetching];
    const known = derived.current;
    if (known?.from.every((value, index) => value === from[index]) === true) {
      return known.shown;
    }
    const shown = derive(committed.current, used, snapshot, options);
    derived.current = { from, shown };
    return shown;
  };
  const shown = useSyncExternalStore(used.reading.subscribe, getShown, getShown);
  useLayoutEffect(() => {
    committed.current = shown;
  });
  return shown.result;
}
