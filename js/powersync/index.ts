/**
 * `@omnii/sync/powersync`: the names that screens written for `@powersync/react` and `@powersync/react-native` import, over
 * this package's database and hooks. Nothing of PowerSync is needed or loaded. Not there: sync streams.
 */
import { type Context, useContext } from 'react';
import type { Database } from '../database';
import { DatabaseContext } from '../databaseContext';
import type { UseDifferentialQueryOptions, UseQueryOptions } from '../hooks/types';

/**
 * The database that the hooks below use. `SyncProvider` provides it; an app that opens its database by itself renders
 * `<PowerSyncContext.Provider value={database}>`.
 */
export const PowerSyncContext = DatabaseContext as Context<Database>;

/**
 * The database of the provider above. Typed as PowerSync does: null, whatever its type says, without a provider, and below a
 * `SyncProvider` without a `fallback` as long as none is open.
 */
export function usePowerSync(): Database {
  const database: Database | null = useContext(DatabaseContext) ?? null;
  return database as unknown as Database;
}

export type { Database as AbstractPowerSyncDatabase, Database as CommonPowerSyncDatabase, Database as PowerSyncDatabase } from '../database';
export type { SyncConnector as PowerSyncBackendConnector, Credentials as PowerSyncCredentials } from '../connector';
export { ArrayComparator, FalsyComparator } from '../live/comparators';
export type * from '../live/types';
export type { CrudBatch, CrudEntry, CrudTransaction } from '../crud';
export type { CompilableQuery } from '../hooks/liveDatabase';
export type { QueryResult as SQLQueryResult } from '../queries';
export type {
  ReadonlySuspenseQueryResult, ReadonlyUseQueryResult as ReadonlyQueryResult, SuspenseQueryResult, UseQueryResult as QueryResult,
} from '../hooks/types';
export type AdditionalOptions = UseQueryOptions;
export type DifferentialHookOptions<RowType> = UseDifferentialQueryOptions<RowType>;
export { useQuery } from '../hooks/useQuery';
export { useStatus } from '../hooks/useStatus';
export { useSuspenseQuery } from '../hooks/useSuspenseQuery';
export { useWatchedQuerySubscription } from '../hooks/useWatchedQuerySubscription';
export { useWatchedQuerySuspenseSubscription } from '../hooks/useWatchedQuerySuspenseSubscription';
export { column, type RowOf as RowType, Schema, Table, type TableOptions } from '../schema';
export type { SyncStatus } from '../status';
export type { LockContext, Transaction } from '../transaction';
