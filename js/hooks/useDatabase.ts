import { useContext } from 'react';
import type { Database } from '../database';
import { DatabaseContext } from '../databaseContext';

/**
 * The signed-in user's database; null while signed out, opening, or after opening failed. Throws outside a `SyncProvider` or a
 * `PowerSyncContext.Provider`.
 */
export function useDatabase(): Database | null {
  const database = useContext(DatabaseContext);
  if (database === undefined) {
    throw new Error('useDatabase must be used within a SyncProvider');
  }
  return database;
}
