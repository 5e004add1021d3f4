import { useContext, useSyncExternalStore } from 'react';
import { SyncContext } from '../provider';
import type { SyncState } from '../providerStore';

/** Where syncing stands, and the three actions. Renders again only when something changed. Throws outside a `SyncProvider`. */
export function useSyncState(): SyncState {
  const view = useContext(SyncContext);
  if (view === null) {
    throw new Error('useSyncState must be used within a SyncProvider');
  }
  return useSyncExternalStore(view.subscribe, view.getState, view.getState);
}
