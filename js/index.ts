/** `@omnii/sync`: an offline-first SQLite database for React Native and the engine that keeps it in step with a backend. */
export type { Credentials, CredentialsChange, CredentialsHint, SyncConnector } from './connector';
export { type Database, openDatabase } from './database';
export type { DatabaseListener } from './databaseListener';
export { SyncError, type SyncErrorCode, syncErrorCodes, toSyncError } from './errors';
export type { AbortSignalLike, FirstSyncOptions } from './firstSync';
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
} from './hooks/index';
export type { OpenOptions } from './options';
export type { ParkedChange } from './parked';
export type { SqlParameter, SqlValue } from './parameters';
export { SyncProvider, type SyncProviderProps } from './provider';
export type { SyncFrequency, SyncState } from './providerStore';
export type { QueryResult, Row } from './queries';
export { type Column, column, type ColumnType, type ConflictPolicy, type RowOf, Schema, Table, type TableOptions } from './schema';
export type { OnSignOut, SignOutOptions } from './signOut';
export type { SyncStatus } from './status';
export { type SupabaseAuthClient, supabaseConnector, type SupabaseConnectorOptions } from './supabase';
export type { Transaction } from './transaction';
export type { SyncOptions, SyncStatusName } from './types';
