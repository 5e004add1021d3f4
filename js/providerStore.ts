/**
 * What stands behind one mounted `SyncProvider`, without React: which database is open, and the snapshot that
 * `useSyncState` shows.
 *
 * Opening and closing run one after another across all providers. So a provider that is unmounted while its database is
 * still opening leaves none open, and its successor (StrictMode, Fast Refresh, a new `key`, another user) never meets
 * `AlreadyOpen`.
 */
import { type Database, openListedSession } from './database';
import { SyncError, toSyncError } from './errors';
import { createListeners, reportListenerError } from './listeners';
import type { OpenOptions } from './options';
import type { Session } from './session';
import { offlineStatus, type SyncStatus } from './status';
import type { SyncStatusName } from './types';

/** What `useSyncState` answers. The same object as long as nothing changed; the actions are always the same functions. */
export type SyncState = {
  /** The user's database is open and can be queried. */
  readonly isInitialized: boolean;
  /** The last exchange with the backend succeeded, and syncing has not been told to stop. */
  readonly isConnected: boolean;
  /** An upload or a download is under way. */
  readonly isSyncing: boolean;
  /** See `SyncStatus.status`; `error` also when the database could not be opened. */
  readonly status: SyncStatusName;
  /** Local changes the backend has not acknowledged yet. */
  readonly pendingChanges: number;
  /** End of the last complete round, in this run or an earlier one. */
  readonly lastSyncedAt: Date | null;
  /** Why the database could not be opened, or else why the last round failed. */
  readonly error: SyncError | null;
  /** `Database.triggerSync()`; rejects with `NotOpen` while no database is open. */
  readonly triggerSync: () => Promise<void>;
  /** `Database.disconnect()`; rejects with `NotOpen` while no database is open. */
  readonly disconnect: () => Promise<void>;
  /** `Database.clearAndReconnect()`; rejects with `NotOpen` while no database is open. */
  readonly clearAndReconnect: () => Promise<void>;
};

export type ProviderStore = {
  subscribe: (listener: () => void) => () => void;
  getState: () => SyncState;
  getDatabase: () => Database | null;
  /** Opens and connects. Answers the function that closes again, also while opening. One run at a time. */
  run: (options: OpenOptions, onError: (error: SyncError) => void) => () => void;
  /** The app came to the foreground: sync now if syncing is wanted. */
  wake: () => void;
};

let lifecycle: Promise<void> = Promise.resolve();

/** Runs `task` after all tasks before it. Tasks do not throw. */
function enqueue(task: () => Promise<void>): void {
  lifecycle = lifecycle.then(task);
}

export function createProviderStore(): ProviderStore {
  const listeners = createListeners<[]>('a subscriber of SyncProvider');
  let session: Session | null = null;
  let failure: SyncError | null = null;

  const onOpenDatabase = async (act: (database: Database) => Promise<void>): Promise<void> => {
    if (session === null) {
      throw new SyncError('NotOpen', 'no database is open: nobody is signed in, or it is still being opened');
    }
    await act(session.database);
  };
  const actions = {
    triggerSync: () => onOpenDatabase((database) => database.triggerSync()),
    disconnect: () => onOpenDatabase((database) => database.disconnect()),
    clearAndReconnect: () => onOpenDatabase((database) => database.clearAndReconnect()),
  };
  const stateOf = (status: SyncStatus): SyncState =>
    Object.freeze({
      isInitialized: session !== null,
      isConnected: status.connected,
      isSyncing: status.uploading || status.downloading,
      status: failure === null ? status.status : 'error',
      pendingChanges: status.pendingChanges,
      lastSyncedAt: status.lastSyncedAt,
      error: failure ?? status.error,
      ...actions,
    });

  let state = stateOf(offlineStatus);
  const update = (): void => {
    state = stateOf(session?.database.currentStatus ?? offlineStatus);
    listeners.emit();
  };

  return {
    subscribe: listeners.add,
    getState: () => state,
    getDatabase: () => session?.database ?? null,
    wake: () => {
      if (session?.isConnectionWanted() === true) {
        // How it went is in the status.
        session.database.triggerSync().catch(() => undefined);
      }
    },
    run: (options, onError) => {
      let stopped = false;
      let opened: Session | null = null;
      let unsubscribe = (): void => undefined;

      const fail = (thrown: unknown): void => {
        const error = toSyncError(thrown);
        if (!stopped) {
          failure = error;
          update();
        }
        try {
          onError(error);
        } catch (again) {
          reportListenerError("SyncProvider's onError", again);
        }
      };
      const close = async (): Promise<void> => {
        try {
          await opened?.database.close();
        } catch (thrown) {
          fail(thrown);
        }
      };

      enqueue(async () => {
        if (stopped) {
          return;
        }
        try {
          opened = await openListedSession(options);
          // The cleanup may have run while the file was being opened; it saw nothing to detach.
          if (stopped as boolean) {
            return;
          }
          session = opened;
          failure = null;
          unsubscribe = opened.database.registerListener({ statusChanged: update });
          update();
          await opened.database.connect();
        } catch (thrown) {
          fail(thrown);
        }
      });
      return () => {
        stopped = true;
        unsubscribe();
        session = null;
        failure = null;
        update();
        enqueue(close);
      };
    },
  };
}
