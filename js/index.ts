/** `@omnii/sync`: an offline-first SQLite database for React Native and the engine that keeps it in step with a backend. */
export type { AbortSignalLike } from './abort';
export type { Credentials, CredentialsChange, CredentialsHint, SyncConnector } from './connector';
export { type CrudBatch, type CrudEntry, type CrudTransaction, UpdateType, type UploadQueueStats } from './crud';
export { type ClearOptions, type Database, openDatabase } from './database';
export type { ChangedRowIds, DatabaseListener } from './databaseListener';
export { SyncError, type SyncErrorCode, syncErrorCodes, type SyncErrorDetails, toSyncError } from './errors';
export type { FirstSyncOptions } from './firstSync';
export {
  addStatusListener,
  type BackendConnector,
  type ChangesPage,
  clearAndReconnect,
  disconnect,
  getConnector,
  notifyNetworkRegained,
  reconcile,
  resetConnector,
  triggerSync,
  waitForFirstSync,
} from './global';
export {
  type CompilableQuery,
  type ReadonlySuspenseQueryResult,
  type ReadonlyUseQueryResult,
  type RowComparator,
  type SuspenseQueryResult,
  useDatabase,
  type UseDifferentialQueryOptions,
  usePowerSync,
  useQuery,
  type UseQueryOptions,
  type UseQueryResult,
  useStatus,
  useSuspenseQuery,
  useSyncState,
  useWatchedQuerySubscription,
  useWatchedQuerySuspenseSubscription,
  type WatchedQueryLike,
} from './hooks/index';
export { ArrayComparator, FalsyComparator } from './live/comparators';
export type {
  ArrayQueryDefinition, CompiledQuery, DifferentialWatchedQuery, DifferentialWatchedQueryComparator,
  DifferentialWatchedQueryListener, DifferentialWatchedQueryOptions, DifferentialWatchedQuerySettings, ListenerCounts,
  ListenerMeta, LiveQueries, Query, SQLOnChangeOptions, SQLWatchOptions, StandardWatchedQuery, StandardWatchedQueryOptions,
  WatchCompatibleQuery, WatchedQuery, WatchedQueryComparator, WatchedQueryDifferential, WatchedQueryListener,
  WatchedQueryOptions, WatchedQuerySettings, WatchedQueryState, WatchExecuteOptions, WatchHandler, WatchOnChangeEvent,
  WatchOnChangeHandler,
} from './live/types';
export type { EncryptionKey } from './encryption';
export type { OpenOptions } from './options';
export type { ParkedChange } from './parked';
export type { SqlParameter, SqlValue } from './parameters';
export { SyncProvider, type SyncProviderProps } from './provider';
export type { SyncState } from './providerStore';
export type { PreparedStatement } from './prepared';
export type { Queries, QueryResult, RawQueryResult, Row } from './queries';
export { type Column, column, type ColumnType, type ConflictPolicy, type RowOf, Schema, Table, type TableOptions, type TrackPreviousOptions } from './schema';
export type { OnSignOut, SignOutOptions } from './signOut';
export type { DownloadProgress, SyncDataFlowStatus, SyncFrequency, SyncStatus } from './status';
export { type SupabaseAuthClient, supabaseConnector, type SupabaseConnectorOptions } from './supabase';
export type { LockContext, LockTimeout, Transaction } from './transaction';
export type { ImportResult, SyncOptions, SyncStatusName } from './types';
