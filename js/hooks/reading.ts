/**
 * What a query hook reads from, without React: something with a snapshot, that begins its work when somebody subscribes. To
 * read a snapshot starts nothing, so that a render that React gives up leaves nothing behind.
 */

/** Where one query stands; replaced as a whole. */
export type QuerySnapshot<RowType> = {
  readonly data: readonly RowType[];
  readonly isLoading: boolean;
  readonly isFetching: boolean;
  readonly error: Error | undefined;
};

export type Reading<RowType> = {
  subscribe: (listener: () => void) => () => void;
  getSnapshot: () => QuerySnapshot<RowType>;
  /** Runs the query again; resolves when that is in the snapshot. Never rejects. Nothing, while nobody subscribes. */
  refresh: (signal?: { readonly aborted: boolean }) => Promise<void>;
  /**
   * For Suspense, whose components can't subscribe before there is a result: begins the work, keeps the result for a while
   * until somebody subscribes, and resolves when it is there.
   */
  ready: () => Promise<void>;
};

const noRows: readonly never[] = Object.freeze([]);

export const loadingSnapshot: QuerySnapshot<never> = Object.freeze({
  data: noRows,
  isLoading: true,
  isFetching: true,
  error: undefined,
});

export const emptySnapshot: QuerySnapshot<never> = Object.freeze({ ...loadingSnapshot, isLoading: false, isFetching: false });

export function failedSnapshot(error: Error): QuerySnapshot<never> {
  return Object.freeze({ ...emptySnapshot, error });
}

/** A reading whose snapshot never changes: there is no database, or no statement to run. */
export function fixedReading(snapshot: QuerySnapshot<never>): Reading<never> {
  return {
    subscribe: () => () => undefined,
    getSnapshot: () => snapshot,
    refresh: () => Promise.resolve(),
    ready: () => Promise.resolve(),
  };
}

export const waitingReading = fixedReading(loadingSnapshot);

/** What was thrown, as the `error` of a hook: errors as they are, everything else wrapped. */
export function asError(thrown: unknown): Error {
  return thrown instanceof Error ? thrown : new Error(String(thrown));
}
