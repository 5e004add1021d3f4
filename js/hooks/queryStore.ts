/** The watched queries of a database, by what they show: components that show the same share one. */
import type { UseQueryOptions } from './types';
import type { WatchCompatibleQuery } from '../live/types';
import type { CompilableQuery, LiveDatabase } from './liveDatabase';
import { loadingSnapshot, type Reading } from './reading';
import { createSharedQuery, type SharedQuery } from './sharedQuery';
import type { Statement } from './statement';

const stores = new WeakMap<object, Map<string, SharedQuery<unknown>>>();

function storeOf(database: object): Map<string, SharedQuery<unknown>> {
  let store = stores.get(database);
  if (store === undefined) {
    store = new Map();
    stores.set(database, store);
  }
  return store;
}

/** How many watched queries the hooks hold on this database. For tests. */
export function sharedQueries(database: object): number {
  return storeOf(database).size;
}

/** The options that make it another watched query; the others are each component's own. */
export function optionsKey({ throttleMs, tables }: UseQueryOptions): string {
  return JSON.stringify([throttleMs, tables]);
}

/** Runs a statement once. */
export function executeStatement<RowType>(database: LiveDatabase, statement: Statement<RowType>): Promise<RowType[]> {
  const { compilable, sql, parameters } = statement;
  return compilable === null ? database.getAll<RowType>(sql, parameters) : compilable.execute();
}

function watchable<RowType>(
  compilable: CompilableQuery<RowType>,
  sql: string,
  parameters: readonly unknown[]
): WatchCompatibleQuery<RowType[]> {
  // With its `mapper` the rows that did not change keep their objects; see `WatchCompatibleQuery`.
  const { mapper } = compilable as Partial<WatchCompatibleQuery<RowType[]>>;
  const query = { execute: () => compilable.execute(), compile: () => ({ sql, parameters }) };
  return mapper === undefined ? query : { ...query, mapper };
}

/** A reading of the shared query. Nothing is in the store before somebody subscribes or waits. */
export function sharedReading<RowType>(
  database: LiveDatabase,
  statement: Statement<RowType>,
  options: UseQueryOptions
): Reading<RowType> {
  const store = storeOf(database);
  const key = `${statement.key} ${optionsKey(options)}`;
  const find = (): SharedQuery<RowType> | undefined => store.get(key) as SharedQuery<RowType> | undefined;
  const watch = { throttleMs: options.throttleMs, triggerOnTables: options.tables };
  const acquire = (): SharedQuery<RowType> => {
    const existing = find();
    if (existing !== undefined) {
      return existing;
    }
    const { compilable, sql, parameters } = statement;
    const made = createSharedQuery<RowType>(
      () =>
        compilable === null
          ? database.query<RowType>({ sql, parameters }).watch(watch)
          : database
              .customQuery<RowType>(watchable(compilable, sql, parameters))
              .watch(watch),
      () => {
        if (store.get(key) === made) {
          store.delete(key);
        }
      }
    );
    store.set(key, made);
    return made;
  };
  return {
    subscribe: (listener) => acquire().subscribe(listener),
    getSnapshot: () => find()?.getSnapshot() ?? loadingSnapshot,
    refresh: async (signal) => find()?.refresh(signal),
    ready: () => acquire().ready(),
  };
}
