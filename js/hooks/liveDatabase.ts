/** What the hooks need of a database: the part of `Database` that watches and reads, and nothing else. */
import type { SqlParameter } from '../parameters';

/** A query of a query builder (Kysely, Drizzle): what it is in SQL, and how to run it. */
export type CompilableQuery<RowType> = {
  execute(): Promise<RowType[]>;
  compile(): { readonly sql: string; readonly parameters: readonly unknown[] };
};

/** `WatchedQueryState` as far as it is shown. */
export type WatchedState<Data> = {
  readonly isLoading: boolean;
  readonly isFetching: boolean;
  readonly error: Error | null;
  readonly data: Data;
};

/** `WatchedQuery` as far as it is used. */
export type Watched<Data> = {
  readonly state: WatchedState<Data>;
  registerListener(listener: {
    onStateChange?: ((state: WatchedState<Data>) => void | Promise<void>) | undefined;
    closed?: (() => void | Promise<void>) | undefined;
  }): () => void;
  close(): Promise<void>;
};

type WatchOptions = { throttleMs?: number | undefined; triggerOnTables?: readonly string[] | undefined };

export type LiveDatabase = {
  getAll<RowType>(sql: string, parameters?: readonly SqlParameter[]): Promise<RowType[]>;
  query<RowType>(query: { sql: string; parameters?: readonly SqlParameter[] | undefined }): {
    watch(options?: WatchOptions): Watched<readonly Readonly<RowType>[]>;
  };
  customQuery<RowType>(query: {
    execute(options: { sql: string; parameters: SqlParameter[] }): Promise<RowType[]>;
    compile(): { readonly sql: string; readonly parameters: readonly unknown[] };
  }): { watch(options?: WatchOptions): Watched<readonly Readonly<RowType>[]> };
};
