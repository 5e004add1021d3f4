/** React's way in: opens the signed-in user's database, syncs it, and hands its state to the hooks below it. */
import { createContext, createElement, type ReactElement, type ReactNode, useEffect, useMemo, useRef, useState } from 'react';
import { AppState } from 'react-native';
import type { SyncConnector } from './connector';
import type { SyncError } from './errors';
import type { OpenOptions } from './options';
import { createProviderStore, type ProviderStore } from './providerStore';
import type { Schema } from './schema';
import type { SyncOptions } from './types';

export type SyncProviderProps = {
  /** The app's tables. May be made inline: the database is reopened only when the declaration itself changes. */
  schema: Schema;
  /** Where credentials come from. May change at every render; the latest one is asked. */
  connector: SyncConnector;
  /** Whose data this is. null or undefined: signed out, no database is open. Another user: the first one's is closed before. */
  userId: string | null | undefined;
  /** Folder of the file. Default: the app's own database folder. A change reopens. */
  directory?: string | null | undefined;
  /** How to sync. May be made inline. A change reopens. */
  sync?: SyncOptions | undefined;
  /** The database could not be opened, connected or closed. Failures of syncing are in `useSyncState().error`. */
  onError?: ((error: SyncError) => void) | undefined;
  children?: ReactNode;
};

/** null outside a `SyncProvider`. */
export const SyncContext = createContext<ProviderStore | null>(null);

/** As a key for effects; a value that can't be written as JSON is left for `openDatabase` to refuse. */
function keyOf(value: unknown): string | undefined {
  try {
    return JSON.stringify(value);
  } catch {
    return undefined;
  }
}

/**
 * Opens the database of `userId`, connects it, and closes it when the user changes or the provider is unmounted. While
 * the app comes to the foreground it syncs at once, unless `disconnect()` was called. Children are rendered always;
 * `useSyncState().isInitialized` says when the database is there.
 */
export function SyncProvider(props: SyncProviderProps): ReactElement {
  const { schema, connector, userId, directory, sync, onError, children } = props;
  const [store] = useState(createProviderStore);
  const latest = useRef({ connector, onError });
  useEffect(() => {
    latest.current = { connector, onError };
  });

  const schemaKey = useMemo(() => keyOf(schema), [schema]);
  const syncKey = keyOf(sync);
  const hasConnector = typeof (connector as SyncConnector | undefined)?.fetchCredentials === 'function';
  useEffect(() => {
    if (userId === null || userId === undefined) {
      return undefined;
    }
    const options: OpenOptions = {
      schema,
      userId,
      directory,
      sync,
      // What is no connector is passed on as it is, for openDatabase to refuse by name.
      connector: hasConnector ? { fetchCredentials: (hint) => latest.current.connector.fetchCredentials(hint) } : connector,
    };
    return store.run(options, (error) => latest.current.onError?.(error));
    // `schema` and `sync` count by content, `connector` through the ref.
  }, [store, userId, directory, schemaKey, syncKey, hasConnector]);

  useEffect(() => {
    // Hosts other than phones may come without it.
    const appState = AppState as typeof AppState | undefined;
    const subscription = appState?.addEventListener('change', (next) => {
      if (next === 'active') {
        store.wake();
      }
    });
    return () => {
      subscription?.remove();
    };
  }, [store]);

  return createElement(SyncContext.Provider, { value: store }, children);
}
