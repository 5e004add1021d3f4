import { useContext, useMemo, useSyncExternalStore } from 'react';
import { DatabaseContext } from '../databaseContext';
import { offlineStatus, type SyncStatus } from '../status';

/**
 * `currentStatus` of the database, at each change; `offline` while none is open. Throws outside a `SyncProvider` or a
 * `PowerSyncContext.Provider`.
 */
export function useStatus(): SyncStatus {
  const database = useContext(DatabaseContext);
  if (database === undefined) {
    throw new Error('useStatus must be used within a SyncProvider');
  }
  const store = useMemo(
    () => ({
      subscribe: (changed: () => void) => database?.registerListener({ statusChanged: changed }) ?? (() => undefined),
      get: () => database?.currentStatus ?? offlineStatus,
    }),
    [database]
  );
  return useSyncExternalStore(store.subscribe, store.get, store.get);
}
