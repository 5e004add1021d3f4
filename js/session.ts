/**
 * One open database: the engine's id, the app's connector and everything that is said between them.
 *
 * Owns the snapshot of the status and the subscriptions to native events; guarantees that nothing is emitted after
 * `close()` and that every rejection is a `SyncError`. `Database` is the part of it that apps see.
 */
import type { Credentials, SyncConnector } from './connector';
import { askConnector, createCredentialsResponder } from './credentials';
import type { Database } from './database';
import { checkListener } from './databaseListener';
import { describe } from './describe';
import { SyncError, toSyncError } from './errors';
import { waitForFirstSync } from './firstSync';
import { createListeners } from './listeners';
import native from './NativeOmniiSync';
import { checkOpenOptions } from './options';
import { idsToJson, type ParkedChange } from './parked';
import { requireSupport } from './platform';
import { createQueries, type Run } from './queries';
import { checkSignOut } from './signOut';
import { createSnapshot } from './snapshot';
import { createSuspension } from './suspension';
import { runTransaction, type Transaction } from './transaction';
import type { NativeOpenOptions, NativeResult } from './types';

/** An open database with the parts that are not on `Database`. */
export type Session = {
  readonly database: Database;
  /** Asks the app's connector directly. Rejects with `CredentialsFailed`. */
  fetchCredentials: () => Promise<Credentials | null>;
  uploadData: () => Promise<void>;
  /** The backend's answers, as parsed JSON. */
  fetchChanges: (since: string) => Promise<unknown>;
  health: () => Promise<unknown>;
  populate: () => Promise<unknown>;
};

/** What the owner of a session wants to hear. */
export type SessionEvents = {
  /** The snapshot was replaced; also once when the database is closed. */
  statusChanged: () => void;
  /** `close()` or `signOut()` was called. */
  closed: () => void;
};

/** The engine's default (rust/core/src/options.rs). */
const credentialsTimeoutMs = 30_000;

async function openNative(options: string): Promise<number> {
  try {
    return await native.open(options);
  } catch (thrown) {
    throw toSyncError(thrown);
  }
}

/** Checks the options and opens the file; see `openDatabase` for the errors. */
export async function openSession(given: unknown, events: SessionEvents): Promise<Session> {
  requireSupport();
  const { native: options, connector } = checkOpenOptions(given);
  const databaseId = await openNative(JSON.stringify(options));
  try {
    return createSession(databaseId, options, connector, events);
  } catch (thrown) {
    await native.close(databaseId);
    throw toSyncError(thrown);
  }
}

function createSession(
  databaseId: number,
  { userId, sync }: NativeOpenOptions,
  connector: SyncConnector,
  events: SessionEvents
): Session {
  const tablesListeners = createListeners<[tables: readonly string[]]>('tablesChanged');
  const snapshot = createSnapshot(native, databaseId, events.statusChanged);
  const suspension = createSuspension(native, databaseId);
  /** `leaving`: signed out, but the last push may still ask for credentials. */
  let life: 'open' | 'leaving' | 'closed' = 'open';
  let ending: Promise<unknown> | null = null;
  let closing: Promise<void> | null = null;
  const isOpen = (): boolean => life === 'open';

  /** Runs `work` if the database is open; every rejection becomes a `SyncError`. */
  const whileOpen = async <T>(work: () => Promise<T>): Promise<T> => {
    const closed = (): SyncError => new SyncError('Closed', 'the database is closed; open it again with openDatabase()');
    if (!isOpen()) {
      throw closed();
    }
    try {
      return await work();
    } catch (thrown) {
      const error = toSyncError(thrown);
      throw !isOpen() && error.code === 'NotOpen' ? closed() : error;
    }
  };

  /** As `whileOpen`, and what `work` did to the status is in `currentStatus` when the caller goes on. */
  const withStatus = <T>(work: () => Promise<T>): Promise<T> =>
    whileOpen(async () => {
      try {
        return await work();
      } finally {
        snapshot.refresh();
      }
    });

  const parsed = (work: () => Promise<string>): Promise<unknown> =>
    whileOpen(async () => JSON.parse(await work()) as unknown);

  const write: Run = (sql, parameters) =>
    whileOpen(async () => {
      const result = (await native.execute(databaseId, 0, sql, parameters)) as NativeResult;
      if (result.rowsAffected > 0) {
        snapshot.expire();
      }
      return result;
    });
  const read: Run = (sql, parameters) =>
    whileOpen(() => native.query(databaseId, sql, parameters) as Promise<NativeResult>);

  const writeTransaction = async <T>(callback: (tx: Transaction) => Promise<T> | T): Promise<T> => {
    if (typeof callback !== 'function') {
      throw new SyncError('BadArgument', `writeTransaction takes a function; got ${describe(callback)}`);
    }
    try {
      return await runTransaction(native, databaseId, whileOpen, callback);
    } finally {
      snapshot.expire();
    }
  };

  const notify = (event: 'foreground' | 'networkRegained' | 'credentialsChanged'): Promise<void> =>
    withStatus(() => native.notify(databaseId, event));

  const credentials = createCredentialsResponder(native, {
    databaseId,
    userId,
    connector,
    isWanted: () => life !== 'closed',
    changed: () => {
      notify('credentialsChanged').catch((thrown: unknown) => {
        if (isOpen()) {
          console.error('@omnii/sync: the engine could not be told of new credentials', toSyncError(thrown));
        }
      });
    },
  });
  const stopListening = credentials.listen();
  const statusSubscription = native.onStatusChanged((event) => {
    if (event.databaseId === databaseId) {
      snapshot.refresh();
    }
  });
  const tablesSubscription = native.onTablesChanged((event) => {
    if (event.databaseId === databaseId && isOpen()) {
      tablesListeners.emit(event.tables);
    }
  });
  const credentialsSubscription = native.onCredentialsRequested((event) => {
    if (event.databaseId === databaseId && life !== 'closed') {
      credentials.answer(event.requestId).catch((thrown: unknown) => {
        console.error('@omnii/sync: credentials could not be handed to the engine', toSyncError(thrown));
      });
    }
  });

  /** From here on the app hears and asks nothing more. */
  const leave = (): void => {
    stopListening();
    statusSubscription.remove();
    tablesSubscription.remove();
    events.closed();
    snapshot.close();
    tablesListeners.clear();
  };
  const close = async (): Promise<void> => {
    if (ending !== null) {
      // Signing out closes; how that went is told to who asked for it.
      await ending.catch(() => undefined);
      return;
    }
    life = 'closed';
    leave();
    credentialsSubscription.remove();
    try {
      await native.close(databaseId);
    } catch (thrown) {
      throw toSyncError(thrown);
    }
  };
  const signOut = async (policy: string, timeoutMs: number): Promise<{ cleared: boolean }> => {
    life = 'leaving';
    leave();
    try {
      if (suspension.isSuspended()) {
        // A suspended file would keep the last push waiting. If it can't be taken up, signing out says why.
        await suspension.resume().catch(() => undefined);
      }
      return { cleared: await native.signOut(databaseId, policy, timeoutMs) };
    } catch (thrown) {
      throw toSyncError(thrown);
    } finally {
      life = 'closed';
      credentialsSubscription.remove();
    }
  };

  const database: Database = {
    ...createQueries(write, read),
    writeTransaction,
    connect: () => withStatus(() => native.connect(databaseId)),
    disconnect: () => withStatus(() => native.disconnect(databaseId)),
    triggerSync: () => withStatus(() => native.triggerSync(databaseId)),
    reconcile: () => withStatus(() => native.reconcile(databaseId)),
    waitForFirstSync: (options) =>
      waitForFirstSync({ isOpen, current: snapshot.current, add: snapshot.add }, options),
    getParkedChanges: async () => (await parsed(() => native.getParkedChanges(databaseId))) as ParkedChange[],
    retryParked: (ids) => withStatus(async () => native.retryParked(databaseId, idsToJson('retryParked', ids))),
    discardParked: (ids) => withStatus(async () => native.discardParked(databaseId, idsToJson('discardParked', ids))),
    clearAndReconnect: () => withStatus(() => native.clearAndReconnect(databaseId)),
    notifyForeground: () => notify('foreground'),
    notifyNetworkRegained: () => notify('networkRegained'),
    notifyCredentialsChanged: () => notify('credentialsChanged'),
    prepareForSuspend: () => withStatus(suspension.suspend),
    resume: () => withStatus(suspension.resume),
    signOut: (options) =>
      whileOpen(() => {
        const { onSignOut, timeoutMs } = checkSignOut(options);
        const leaving = signOut(onSignOut, timeoutMs);
        ending = leaving;
        return leaving;
      }),
    close: () => {
      closing ??= close();
      return closing;
    },
    get currentStatus() {
      return snapshot.current();
    },
    registerListener: (given) => {
      const listener = checkListener(given);
      if (!isOpen()) {
        return () => undefined;
      }
      const removals = [
        snapshot.add((next) => listener.statusChanged?.(next)),
        tablesListeners.add((tables) => listener.tablesChanged?.(tables)),
      ];
      return () => {
        for (const remove of removals) {
          remove();
        }
      };
    },
  };

  return {
    database,
    fetchCredentials: () => whileOpen(() => askConnector(connector, sync.credentialsTimeoutMs ?? credentialsTimeoutMs)),
    uploadData: () => withStatus(() => native.uploadData(databaseId)),
    fetchChanges: (since) => parsed(() => native.fetchChanges(databaseId, since)),
    health: () => parsed(() => native.health(databaseId)),
    populate: () => parsed(() => native.populate(databaseId)),
  };
}
