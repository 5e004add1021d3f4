/**
 * What stands behind one mounted `SyncProvider`, without React: which database is open, and the snapshot that
 * `useSyncState` shows.
 *
 * Opening, closing and signing out run one after another across all providers. So a provider that is unmounted while its database is
 * still opening leaves none open, and its successor (StrictMode, Fast Refresh, a new `key`, another user) never meets
 * `AlreadyOpen`.
 */
import { type Database, openListedSession } from './database';
import { SyncError, toSyncError } from './errors';
import { createListeners, reportListenerError } from './listeners';
import { createSurroundings, type Notice } from './notices';
import type { OpenOptions } from './options';
import type { Session } from './session';
import { isOnSignOut, type OnSignOut, wrongPolicy } from './signOut';
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
  /** Changes the backend refused for good; see `Database.getParkedChanges`. */
  readonly parkedChanges: number;
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

/** What the app says about a run, asked for when it is needed. */
export type RunContext = {
  onError: (error: SyncError) => void;
  onSignOut: () => OnSignOut;
};

export type ProviderStore = {
  subscribe: (listener: () => void) => () => void;
  getState: () => SyncState;
  getDatabase: () => Database | null;
  /** Opens and connects. Answers the function that ends it, also while opening. One run at a time. */
  run: (options: OpenOptions, app: RunContext) => (why: 'closing' | 'signing out') => void;
  /** The app came to the foreground: takes the file up again, and syncs if that is wanted. */
  foreground: () => void;
  /** iOS may suspend the process: lets the file go, also one that is opened meanwhile. */
  suspend: () => void;
  networkRegained: () => void;
  /** Tells the open database, and the one that is opened next if it still holds then. */
  notify: (notice: Notice) => void;
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
  let report: (thrown: unknown) => void = () => undefined;
  let suspended = false;
  const surroundings = createSurroundings();

  /** Tells the open database something nobody waits for. That it has been closed meanwhile is no failure. */
  const tell = (what: (session: Session) => Promise<void>): void => {
    const told = session;
    if (told !== null) {
      what(told).catch((thrown: unknown) => {
        if (told === session && toSyncError(thrown).code !== 'Closed') {
          report(thrown);
        }
      });
    }
  };
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
      parkedChanges: status.parkedChanges,
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
    foreground: () => {
      const wasSuspended = suspended;
      surroundings.note('foreground');
      suspended = false;
      tell(async ({ database }) => {
        if (wasSuspended) {
          await database.resume();
        }
        await database.notifyForeground();
      });
    },
    suspend: () => {
      suspended = true;
      tell(({ database }) => database.prepareForSuspend());
    },
    networkRegained: () => {
      tell(({ database }) => database.notifyNetworkRegained());
    },
    notify: (notice) => {
      surroundings.note(notice);
      tell((told) => told.notify(notice));
    },
    run: (options, app) => {
      let ended: 'not yet' | 'closing' | OnSignOut = 'not yet';
      let opened: Session | null = null;
      let unsubscribe = (): void => undefined;
      const hasEnded = (): boolean => ended !== 'not yet';

      const announce = (error: SyncError): void => {
        try {
          app.onError(error);
        } catch (again) {
          reportListenerError("SyncProvider's onError", again);
        }
      };
      const fail = (thrown: unknown): void => {
        const error = toSyncError(thrown);
        if (!hasEnded()) {
          failure = error;
          update();
        }
        announce(error);
      };
      const open = async (): Promise<void> => {
        // A file that is not open yet has to be opened to be cleared.
        if (ended === 'closing' || ended === 'keep') {
          return;
        }
        try {
          const policy: unknown = app.onSignOut();
          if (!isOnSignOut(policy)) {
            throw new SyncError('InvalidOptions', `option ${wrongPolicy(policy)}`);
          }
          opened = await openListedSession(options);
          // The end may have come while the file was being opened; it saw nothing to detach.
          if (hasEnded()) {
            return;
          }
          const { database } = opened;
          session = opened;
          failure = null;
          report = (thrown) => {
            announce(toSyncError(thrown));
          };
          unsubscribe = database.registerListener({ statusChanged: update });
          update();
          for (const notice of surroundings.standing()) {
            await opened.notify(notice);
          }
          await database.connect();
          if (suspended) {
            await database.prepareForSuspend();
          }
        } catch (thrown) {
          fail(thrown);
        }
      };
      const end = async (): Promise<void> => {
        if (opened === null) {
          return;
        }
        const { database } = opened;
        try {
          if (ended !== 'not yet' && ended !== 'closing') {
            await database.signOut({ onSignOut: ended });
          }
        } catch (thrown) {
          // The app may have signed out or closed by itself.
          if (toSyncError(thrown).code !== 'Closed') {
            fail(thrown);
          }
        }
        try {
          await database.close();
        } catch (thrown) {
          fail(thrown);
        }
      };

      enqueue(open);
      return (why) => {
        ended = why === 'closing' ? why : app.onSignOut();
        unsubscribe();
        session = null;
        failure = null;
        update();
        enqueue(end);
      };
    },
  };
}
