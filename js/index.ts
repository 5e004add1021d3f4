/** `@omnii/sync`: an offline-first SQLite database for React Native and the engine that keeps it in step with a backend. */
export type { Credentials, CredentialsHint, SyncConnector } from './connector';
export { type Database, type DatabaseListener, openDatabase } from './database';
export { SyncError, type SyncErrorCode, syncErrorCodes, toSyncError } from './errors';
export {
  addStatusListener,
  type BackendConnector,
  type ChangesPage,
  clearAndReconnect,
  disconnect,
  getConnector,
  resetConnector,
  triggerSync,
} from './global';
export { useDatabase, useSyncState } from './hooks';
export type { OpenOptions } from './options';
export type { SqlParameter, SqlValue } from './parameters';
export { SyncProvider, type SyncProviderProps } from './provider';
export type { SyncState } from './providerStore';
export type { QueryResult, Row } from './queries';
export { type Column, column, type ColumnType, type RowOf, Schema, Table, type TableOptions } from './schema';
export type { SyncStatus } from './status';
export { type SupabaseAuthClient, supabaseConnector, type SupabaseConnectorOptions } from './supabase';
export type { Transaction } from './transaction';
export type { SyncOptions, SyncStatusName } from './types';
