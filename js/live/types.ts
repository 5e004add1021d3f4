/**
 * The shapes of live queries, as PowerSync users know them. What they promise beyond that: a result is a new array only if
 * something in it has changed, rows that did not change are the very same objects as before, and nothing of a transaction
 * is delivered before it has been committed.
 */
import type { AbortSignalLike } from '../abort';
import type { Database } from '../database';
import type { SqlParameter } from '../parameters';
import type { QueryResult, Row } from '../queries';

/** SQL text and its parameters, as query builders make them. */
export type CompiledQuery = { readonly sql: string; readonly parameters: readonly unknown[] };

/** What the `execute` of a {@link WatchCompatibleQuery} is given. */
export type WatchExecuteOptions = { sql: string; parameters: SqlParameter[]; db: Database };

/**
 * A query of a query builder: `compile` says what to watch, `execute` makes the result. With a `mapper` the result is made of
 * the rows of the compiled statement instead, and `execute` is not called: rows that did not change keep their identity then.
 */
export type WatchCompatibleQuery<Data> = {
  execute(options: WatchExecuteOptions): Promise<Data>;
  compile(): CompiledQuery;
  mapper?: Data extends readonly (infer RowType)[] ? (row: Record<string, unknown>) => RowType : never;
};

/** What `db.query` takes. */
export type ArrayQueryDefinition<RowType = Row> = {
  sql: string;
  parameters?: readonly SqlParameter[] | undefined;
  /** Called once for each row that is new or has changed. */
  mapper?: ((row: Record<string, unknown>) => RowType) | undefined;
};

export type WatchedQueryState<Data> = {
  /** No result and no error so far. */
  readonly isLoading: boolean;
  /** The first result, or the first one after `updateSettings`, is on its way. */
  readonly isFetching: boolean;
  /** Why the last run failed; null again after the next good one. */
  readonly error: Error | null;
  /** When `data` was last replaced. */
  readonly lastUpdated: Date | null;
  readonly data: Data;
};

export type WatchedQueryOptions = {
  /** The first change is delivered at once, further ones at most this often. 0 to 24 h; default 30. */
  throttleMs?: number | undefined;
  /** Whether `isFetching` is told; false saves two calls of `onStateChange`. Default true. */
  reportFetching?: boolean | undefined;
  /** Only changes of these tables matter. Default: those that the statement reads. */
  triggerOnTables?: readonly string[] | undefined;
};

/** Decides whether a new result is worth telling. */
export type WatchedQueryComparator<Data> = { checkEquality: (current: Data, previous: Data) => boolean };

export type StandardWatchedQueryOptions<RowType> = WatchedQueryOptions & {
  /** Results for which it answers true are not delivered. Default: every result in which something has changed is. */
  comparator?: WatchedQueryComparator<RowType[]> | undefined;
  /** `state.data` until the first result. Default []. */
  placeholderData?: RowType[] | undefined;
};

/** Which rows are the same (`keyBy`) and whether such a row has changed (`compareBy`). */
export type DifferentialWatchedQueryComparator<RowType> = {
  keyBy: (item: RowType) => string;
  compareBy: (item: RowType) => string;
};

export type DifferentialWatchedQueryOptions<RowType> = WatchedQueryOptions & {
  placeholderData?: RowType[] | undefined;
  /** Default: keyed by `id`, or by the whole row if there is none; compared by the whole row. */
  rowComparator?: DifferentialWatchedQueryComparator<RowType> | undefined;
};

/** What has changed since the result before. */
export type WatchedQueryDifferential<RowType> = {
  readonly added: readonly Readonly<RowType>[];
  /** The whole result; unchanged rows are the same objects as before. */
  readonly all: readonly Readonly<RowType>[];
  readonly removed: readonly Readonly<RowType>[];
  readonly updated: readonly { readonly current: Readonly<RowType>; readonly previous: Readonly<RowType> }[];
  readonly unchanged: readonly Readonly<RowType>[];
};

/** A listener that throws or rejects is reported on the console, and the rest go on. */
export type WatchedQueryListener<Data> = {
  onData?: ((data: Data) => void | Promise<void>) | undefined;
  onError?: ((error: Error) => void | Promise<void>) | undefined;
  onStateChange?: ((state: WatchedQueryState<Data>) => void | Promise<void>) | undefined;
  /** `updateSettings` was called. */
  settingsWillUpdate?: (() => void) | undefined;
  /** `close()` was called, or the database was closed. */
  closed?: (() => void | Promise<void>) | undefined;
};

export type DifferentialWatchedQueryListener<RowType> = WatchedQueryListener<readonly Readonly<RowType>[]> & {
  onDiff?: ((diff: WatchedQueryDifferential<RowType>) => void | Promise<void>) | undefined;
};

/** How many listeners there are, and how many of them have each callback. */
export type ListenerCounts<Listener> = { readonly total: number } & { readonly [K in keyof Listener]?: number };

export type ListenerMeta<Listener> = {
  readonly counts: ListenerCounts<Listener>;
  registerListener(listener: { listenersChanged?: ((counts: ListenerCounts<Listener>) => void) | undefined }): () => void;
};

/** A query that runs until it is closed, whether anybody listens or not. */
export type WatchedQuery<
  Data = unknown,
  Settings extends WatchedQueryOptions = WatchedQueryOptions,
  Listener extends WatchedQueryListener<Data> = WatchedQueryListener<Data>,
> = {
  /** Replaced as a whole at each change. */
  readonly state: WatchedQueryState<Data>;
  readonly closed: boolean;
  readonly listenerMeta: ListenerMeta<Listener>;
  /** Answers the function that ends the registration. */
  registerListener(listener: Listener): () => void;
  /**
   * Replaces the settings that are given, the query included. `data` stays until the new result is there. Resolves as soon
   * as the new query is under way.
   */
  updateSettings(settings: Partial<Settings>): Promise<void>;
  /** Ends the watch. May be called again. */
  close(): Promise<void>;
};

export type WatchedQuerySettings<Data> = WatchedQueryOptions & { query: WatchCompatibleQuery<Data> };

/** What `query(…).watch()` answers. */
export type StandardWatchedQuery<Data> = WatchedQuery<Data, WatchedQuerySettings<Data>>;

export type DifferentialWatchedQuerySettings<RowType> = DifferentialWatchedQueryOptions<RowType> & {
  query: WatchCompatibleQuery<RowType[]>;
};

/** What `query(…).differentialWatch()` answers. */
export type DifferentialWatchedQuery<RowType> = WatchedQuery<
  readonly Readonly<RowType>[],
  DifferentialWatchedQuerySettings<RowType>,
  DifferentialWatchedQueryListener<RowType>
>;

/** A query that can be watched, any number of times. */
export type Query<RowType> = {
  /** Delivers each result in which something has changed. */
  watch(options?: StandardWatchedQueryOptions<RowType>): StandardWatchedQuery<readonly Readonly<RowType>[]>;
  /** Delivers also what has changed (`onDiff`), and keeps the objects of rows that `rowComparator` finds unchanged. */
  differentialWatch(options?: DifferentialWatchedQueryOptions<RowType>): DifferentialWatchedQuery<RowType>;
};

export type SQLOnChangeOptions = {
  /** Ends it. */
  signal?: AbortSignalLike | undefined;
  /** Default: all tables for `onChange`, those that the statement reads for `watch`. */
  tables?: readonly string[] | undefined;
  /** The first change is told at once, further ones at most this often. 0 to 24 h; default 30. */
  throttleMs?: number | undefined;
  /** `onChange` tells an empty list of tables at once. Default false. `watch` always begins with a result. */
  triggerImmediate?: boolean | undefined;
};

export type SQLWatchOptions = SQLOnChangeOptions & {
  /** Results for which it answers true are not delivered. */
  comparator?: WatchedQueryComparator<QueryResult> | undefined;
};

export type WatchOnChangeEvent = { changedTables: string[] };

export type WatchHandler = {
  onResult: (results: QueryResult) => void;
  /** The watch goes on: the next good result comes to `onResult`. Default: reported on the console. */
  onError?: ((error: Error) => void) | undefined;
};

export type WatchOnChangeHandler = {
  onChange: (event: WatchOnChangeEvent) => Promise<void> | void;
  /** What `onChange` threw or rejected with. Default: reported on the console. */
  onError?: ((error: Error) => void) | undefined;
};

/** The live part of a database. */
export type LiveQueries = {
  /**
   * Yields the result, and again whenever it has changed; a consumer that is slow gets the newest. Ends with the signal or
   * when the database is closed; throws `SyncError` if the statement fails.
   */
  watch(sql: string, parameters?: readonly SqlParameter[], options?: SQLWatchOptions): AsyncIterableIterator<QueryResult, undefined>;
  /** Calls `onResult` with the result, and again whenever it has changed. Answers the function that ends it; so does the signal. */
  watch(sql: string, parameters: readonly SqlParameter[] | undefined, handler: WatchHandler, options?: SQLWatchOptions): () => void;
  watchWithCallback(
    sql: string,
    parameters: readonly SqlParameter[] | undefined,
    handler: WatchHandler,
    options?: SQLWatchOptions
  ): () => void;
  watchWithAsyncGenerator(
    sql: string,
    parameters?: readonly SqlParameter[],
    options?: SQLWatchOptions
  ): AsyncIterableIterator<QueryResult, undefined>;
  /** Tells which tables have changed, after each commit. */
  onChange(options?: SQLOnChangeOptions): AsyncIterableIterator<WatchOnChangeEvent, undefined>;
  onChange(handler: WatchOnChangeHandler, options?: SQLOnChangeOptions): () => void;
  onChangeWithCallback(handler: WatchOnChangeHandler, options?: SQLOnChangeOptions): () => void;
  onChangeWithAsyncGenerator(options?: SQLOnChangeOptions): AsyncIterableIterator<WatchOnChangeEvent, undefined>;
  /** A query to be watched. Nothing runs before `watch()` or `differentialWatch()`. */
  query<RowType = Row>(query: ArrayQueryDefinition<RowType>): Query<RowType>;
  /** The same for a query of a query builder. */
  customQuery<RowType>(query: WatchCompatibleQuery<RowType[]>): Query<RowType>;
  /** The tables that a statement reads or writes, or `options.tables` if given. */
  resolveTables(
    sql: string,
    parameters?: readonly SqlParameter[],
    options?: { readonly tables?: readonly string[] | undefined }
  ): Promise<string[]>;
};
