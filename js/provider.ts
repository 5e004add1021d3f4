/** React's way in: opens the signed-in user's database, syncs it, and hands its state to the hooks below it. */
import {
  createContext, createElement, type ReactElement, type ReactNode, useEffect, useLayoutEffect, useMemo, useRef, useState,
  useSyncExternalStore,
} from 'react';
import type { SyncConnector } from './connector';
import { DatabaseContext } from './databaseContext';
import type { EncryptionKey } from './encryption';
import type { SyncError } from './errors';
import type { OpenOptions } from './options';
import { isSupported, warnUnsupported } from './platform';
import { createProviderStore, type ProviderView } from './providerStore';
import { type SubscribeToNetwork, useAppState, useDevice, useNetwork } from './providerTriggers';
import type { Schema } from './schema';
import type { OnSignOut } from './signOut';
import type { SyncOptions } from './types';

export type SyncProviderProps = {
  /** The app's tables. May be made inline: the database is reopened only when the declaration itself changes. */
  schema: Schema;
  /** Where credentials come from. May change at every render; the latest one is asked. */
  connector: SyncConnector;
  /**
   * Whose data this is. null or undefined: signed out, no database is open. When it changes, the user before is signed
   * out first (`onSignOut`), and only then the next one's database is opened.
   */
  userId: string | null | undefined;
  /** Folder of the file. Default: the app's own database folder. A change reopens. */
  directory?: string | null | undefined;
  /** A PowerSync database of this user to be taken in once; see `OpenOptions`. A change counts at the next opening. */
  importFrom?: string | null | undefined;
  /**
   * What the file is encrypted with; see `OpenOptions`. null: it is still being read, and nothing is opened before it is there.
   * undefined: the file is plain. A change counts at the next opening; an open file gets another key by `rekey()`.
   */
  encryptionKey?: EncryptionKey | null | undefined;
  /** How to sync. May be made inline. A change reopens. */
  sync?: SyncOptions | undefined;
  /**
   * What becomes of a user's file when `userId` changes to another user or to none; pending changes are pushed for at most
   * 10 s before. Default `clearWhenSynced`. Unmounting the provider only closes the file.
   */
  onSignOut?: OnSignOut | undefined;
  /**
   * Tells the engine when the device is on a network again, so that it need not wait for its next attempt; it may call
   * `onRegained` more often than that. Subscribed once, when first given.
   */
  subscribeToNetwork?: SubscribeToNetwork | undefined;
  /**
   * Rendered instead of the children while somebody is signed in and the database is not open: at the start, when it is
   * reopened, and after opening failed (`useSyncState().error` says why). Children below are mounted with a database, and
   * unmounted when it goes. Without it, or signed out, or where the platform is not supported, children are rendered at once.
   */
  fallback?: ReactNode;
  /** The database could not be opened, connected, suspended, signed out or closed. Failures of syncing are in `useSyncState().error`. */
  onError?: ((error: SyncError) => void) | undefined;
  children?: ReactNode;
};

/** null outside a `SyncProvider`. */
export const SyncContext = createContext<ProviderView | null>(null);

/** As a key for effects; a value that can't be written as JSON is left for `openDatabase` to refuse. */
function keyOf(value: unknown): string | undefined {
  try {
    return JSON.stringify(value);
  } catch {
    return undefined;
  }
}

/**
 * Opens the database of `userId` and connects it; ends it when the user changes (signing out) or the provider is
 * unmounted (closing). When the app comes to the foreground it syncs at once, unless `disconnect()` was called; on iOS the
 * file is let go in the background. Children are rendered always unless there is a `fallback`; `useSyncState().isInitialized`
 * says when the database is there. Where the native module is missing (web, Expo Go) it opens nothing and says so once on the
 * console.
 */
export function SyncProvider(props: SyncProviderProps): ReactElement {
  const { schema, connector, userId, directory, sync, encryptionKey, subscribeToNetwork, fallback, children } = props;
  const [store] = useState(createProviderStore);
  const latest = useRef(props);
  // A layout effect, so that what ends a run (an effect's cleanup) sees the props that end it.
  useLayoutEffect(() => {
    latest.current = props;
  });

  const schemaKey = useMemo(() => keyOf(schema), [schema]);
  const syncKey = keyOf(sync);
  // Whose key has been there. A key that goes again ends nothing: the user is signed out by `userId`, with all that belongs to it.
  const [unlocked, setUnlocked] = useState<typeof userId>();
  if (encryptionKey !== null && unlocked !== userId) setUnlocked(userId);
  const awaitsKey = encryptionKey === null && unlocked !== userId;
  const hasConnector = typeof (connector as SyncConnector | undefined)?.fetchCredentials === 'function';
  useEffect(() => {
    if (!isSupported()) {
      warnUnsupported();
      return undefined;
    }
    if (userId === null || userId === undefined || awaitsKey) {
      return undefined;
    }
    // Props are for the user they were given for: the next one's connector must not answer for the one before.
    const isCurrent = (): boolean => latest.current.userId === userId;
    const options: OpenOptions = {
      schema,
      userId,
      directory,
      sync,
      importFrom: latest.current.importFrom,
      // A null here, of a key that was there and is gone when the file is opened anew, is refused.
      encryptionKey: latest.current.encryptionKey as EncryptionKey | undefined,
      // What is no connector is passed on as it is, for openDatabase to refuse by name.
      connector: hasConnector
        ? {
            fetchCredentials: (hint) =>
              isCurrent() ? latest.current.connector.fetchCredentials(hint) : Promise.resolve(null),
            subscribe: (onChanged) => latest.current.connector.subscribe?.(onChanged) ?? (() => undefined),
          }
        : connector,
    };
    const end = store.run(options, {
      onError: (error) => latest.current.onError?.(error),
      onSignOut: () => latest.current.onSignOut ?? 'clearWhenSynced',
    });
    return () => {
      end(isCurrent() ? 'closing' : 'signing out');
    };
    // `schema` and `sync` count by content, the rest through the ref.
  }, [store, userId, awaitsKey, directory, schemaKey, syncKey, hasConnector]);

  useAppState(store);
  useNetwork(store, subscribeToNetwork);
  useDevice(store);

  const view = useMemo(() => store.viewFor(userId), [store, userId]);
  const database = useSyncExternalStore(view.subscribe, view.getDatabase, view.getDatabase);
  const isSignedIn = userId !== null && userId !== undefined;
  const isWaiting = fallback !== undefined && database === null && isSignedIn && isSupported();
  return createElement(
    SyncContext.Provider,
    { value: view },
    createElement(DatabaseContext.Provider, { value: database }, isWaiting ? fallback : children)
  );
}
