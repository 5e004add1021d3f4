/** The shapes of the query hooks, as PowerSync users know them. */

/** Which rows are the same (`keyBy`), and whether such a row has changed (`compareBy`). */
export type RowComparator<RowType> = {
  keyBy: (item: RowType) => string;
  compareBy: (item: RowType) => string;
};

export type UseQueryOptions = {
  /** The first change is shown at once, further ones at most this often. Default 30. */
  throttleMs?: number | undefined;
  /** Only changes of these tables matter. Default: those that the statement reads. */
  tables?: readonly string[] | undefined;
  /** Runs once instead of following the data; `refresh()` runs it again. Default false. */
  runQueryOnce?: boolean | undefined;
  /** Whether `isFetching` is told; false saves renders. Default true. */
  reportFetching?: boolean | undefined;
};

export type UseDifferentialQueryOptions<RowType> = UseQueryOptions & {
  /**
   * Rows that it finds unchanged keep their objects, and a result without a change renders nothing. Rows whose columns are all
   * unchanged keep theirs also without it; it is for queries that build new objects, or where some columns do not matter.
   */
  rowComparator?: RowComparator<RowType> | undefined;
};

/** What `useQuery` answers; the same object as long as nothing changed. */
export type UseQueryResult<RowType> = {
  /**
   * The rows; [] until there are any. The array is shared with other components that show the same query: do not change it.
   * While another statement or other parameters are read for the first time these are still the rows before; rows of another
   * database never are.
   */
  readonly data: RowType[];
  /** There is neither a result nor an error yet. */
  readonly isLoading: boolean;
  /** The first result, or the first one after a change of the query or `refresh()`, is on its way. */
  readonly isFetching: boolean;
  /** Why it failed; undefined again after the next good result. A `SyncError` unless a query builder threw something else. */
  readonly error: Error | undefined;
  /** Runs the query again. Resolves when its result, or its error, is shown; an aborted one is not waited for. */
  readonly refresh: (signal?: { readonly aborted: boolean }) => Promise<void>;
};

/** As `UseQueryResult`, where a `rowComparator` is given. */
export type ReadonlyUseQueryResult<RowType> = Omit<UseQueryResult<RowType>, 'data'> & {
  readonly data: readonly Readonly<RowType>[];
};

export type SuspenseQueryResult<RowType> = Pick<UseQueryResult<RowType>, 'data' | 'refresh'>;
export type ReadonlySuspenseQueryResult<RowType> = Pick<ReadonlyUseQueryResult<RowType>, 'data' | 'refresh'>;
