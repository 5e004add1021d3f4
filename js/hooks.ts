/** Hooks below a `SyncProvider`. */
import { useContext, useSyncExternalStore } from 'react';
import type { Database } from './database';
import { SyncContext } from './provider';
import type { ProviderStore, SyncState } from './providerStore';

function useStore(hook: string): ProviderStore {
  const store = useContext(SyncContext);
  if (store === null) {
    throw new Error(`${hook} must be used within a SyncProvider`);
  }
  return store;
}

/** Where syncing stands, and the three actions. Renders again only when something changed. Throws outside a `SyncProvider`. */
export function useSyncState(): SyncState {
  const store = useStore('useSyncState');
  return useSyncExternalStore(store.subscribe, store.getState, store.getState);
}

/** The signed-in user's database; null while signed out, opening, or after opening failed. Throws outside a `SyncProvider`. */
export function useDatabase(): Database | null {
  const store = useStore('useDatabase');
  return useSyncExternalStore(store.subscribe, store.getDatabase, store.getDatabase);
}
