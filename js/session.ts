/**
 * One open database: the engine's id, the app's connector and everything that is said between them.
 *
 * Owns the snapshot of the status and the subscriptions to native events; guarantees that nothing is emitted after
 * `close()` and that every rejection is a `SyncError`. `Database` is the part of it that apps see.
 */
import type { Credentials, SyncConnector } from './connector';
import { askConnector, createCredentialsResponder } from './credentials';
import { checkOptions } from './arguments';
import { createCalls } from './calls';
import { createUploadQueue } from './crud';
import type { Database, DatabaseState } from './database';
import { checkListener } from './databaseListener';
import { describe } from './describe';
import { checkKey } from './encryption';
import { SyncError, toSyncError } from './errors';
import { waitForFirstSync, waitForStatus } from './firstSync';
import { createGate } from './gate';
import { createListeners } from './listeners';
import { createLiveQueries } from './live/liveQueries';
import native from './NativeOmniiSync';
import { createActivity, type Notice } from './notices';
import { checkOpenOptions } from './options';
import { idsToJson, type ParkedChange } from './parked';
import { requireSupport } from './platform';
import { createPrepares } from './prepared';
import { createReaders } from './readers';
import type { Schema } from './schema';
import { checkSignOut } from './signOut';
import { createSnapshot } from './snapshot';
import { createDatabaseQueries } from './statements';
import { createSuspension } from './suspension';
import { createSyncReads } from './syncReads';
import { createTableEvents } from './tableEvents';
import { createTransactions } from './transaction';
import type { ImportResult, NativeOpenOptions } from './types';
import { createUploadResponder } from './upload';

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
  /** Tells the engine about its surroundings. */
  notify: (notice: Notice) => Promise<void>;
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
  const { native: options, schema, connector } = checkOpenOptions(given);
  const databaseId = await openNative(JSON.stringify(options));
  try {
    return createSession(databaseId, options, schema, connector, events);
  } catch (thrown) {
    await native.close(databaseId);
    throw toSyncError(thrown);
  }
}

function createSession(
  databaseId: number,
  { userId, sync }: NativeOpenOptions,
  schema: Schema,
  connector: SyncConnector,
  events: SessionEvents
): Session {
  const tableEvents = createTableEvents(native, databaseId);
  const closingListeners = createListeners<[]>('closing');
  const closedListeners = createListeners<[]>('closed');
  const snapshot = createSnapshot(native, databaseId, events.statusChanged);
  const suspension = createSuspension(native, databaseId);
  const gate = createGate();
  /** `leaving`: signed out, but the last push may still ask for credentials, or for an upload by the app. */
  let life: 'open' | 'leaving' | 'closed' = 'open';
  let ending: Promise<unknown> | null = null;
  let closing: Promise<void> | null = null;
  const isWanted = (): boolean => life !== 'closed';
  const uploads = createUploadResponder(native, databaseId, connector, () => database, isWanted);
  const isOpen = (): boolean => life === 'open' || (life === 'leaving' && uploads.isUploading());
  const calls = createCalls({ native, databaseId, gate, readers: createReaders(), snapshot, isOpen });
  const { whileOpen, withStatus, withWriter, writing } = calls;

  const parsed = (work: () => Promise<string>): Promise<unknown> =>
    whileOpen(async () => JSON.parse(await work()) as unknown);
  const activity = createActivity(
    () => snapshot.current().syncFrequency,
    // a hint: nothing depends on it
    () => { native.notify(databaseId, 'active').catch(() => undefined); }
  );
  const notify = (event: Notice): Promise<void> =>
    withStatus(() => native.notify(databaseId, event));

  const credentials = createCredentialsResponder(native, {
    databaseId,
    userId,
    connector,
    isWanted,
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
    if (event.databaseId === databaseId && life === 'open') {
      tableEvents.emit(event);
    }
  });
  const credentialsSubscription = native.onCredentialsRequested((event) => {
    if (event.databaseId === databaseId && isWanted()) {
      credentials.answer(event.requestId).catch((thrown: unknown) => {
        console.error('@omnii/sync: credentials could not be handed to the engine', toSyncError(thrown));
      });
    }
  });
  const uploadSubscription = native.onUploadRequested((event) => {
    if (event.databaseId === databaseId && isWanted()) {
      void uploads.answer(event.requestId);
    }
  });

  const queries = createDatabaseQueries(calls, activity.seen);
  const live = createLiveQueries(calls, tableEvents, () => database);

  /** From here on the app hears and asks nothing more. */
  const leave = (): void => {
    closingListeners.emit();
    stopListening();
    statusSubscription.remove();
    tablesSubscription.remove();
    live.close();
    tableEvents.clear();
    gate.reject(calls.closedError());
    events.closed();
    snapshot.close();
  };
  const gone = (): void => {
    life = 'closed';
    credentialsSubscription.remove();
    uploadSubscription.remove();
    closedListeners.emit();
    closedListeners.clear();
    closingListeners.clear();
  };
  const close = async (): Promise<void> => {
    if (ending !== null) {
      // Signing out closes; how that went is told to who asked for it.
      await ending.catch(() => undefined);
      return;
    }
    life = 'closed';
    leave();
    try {
      await native.close(databaseId);
    } catch (thrown) {
      throw toSyncError(thrown);
    } finally {
      gone();
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
      gone();
    }
  };
  const ready = (): Promise<void> => whileOpen(() => Promise.resolve());
  const statusSource = { isOpen, current: snapshot.current, add: snapshot.add };

  // Getters in a literal of their own: where spreads are transformed away (Babel in jest does so in its loose mode), getters that
  // stand beside one are read once, and never again.
  const state: DatabaseState = {
    get closed() {
      return life !== 'open';
    },
    get ready() {
      return life === 'open';
    },
    get connected() {
      return snapshot.current().connected;
    },
    get connecting() {
      return snapshot.current().connecting;
    },
    get currentStatus() {
      return snapshot.current();
    },
    schema,
  };
  const methods: Omit<Database, keyof DatabaseState> = {
    ...queries,
    ...createSyncReads(calls),
    ...createPrepares(calls, queries),
    ...createTransactions(calls),
    ...live.queries,
    ...createUploadQueue(calls),
    init: ready,
    waitForReady: ready,
    interrupt: () =>
      whileOpen(() => {
        gate.reject(new SyncError('Interrupted', 'interrupt() was called while this call waited', true), 'statement');
        return native.interrupt(databaseId);
      }),
    connect: (given) =>
      withStatus(() => {
        if (given !== undefined && given !== connector) {
          throw new SyncError('BadArgument', 'connect: the connector is given to openDatabase(), not to connect()');
        }
        return native.connect(databaseId);
      }),
    disconnect: () => withStatus(() => native.disconnect(databaseId)),
    disconnectAndClear: (options) =>
      writing('sync', async () => {
        const { clearLocal = true } = checkOptions('disconnectAndClear', options, ['clearLocal']);
        if (typeof clearLocal !== 'boolean') {
          throw new SyncError('BadArgument', `disconnectAndClear: clearLocal must be a boolean; got ${describe(clearLocal)}`);
        }
        await native.clear(databaseId, clearLocal);
      }),
    triggerSync: () => writing('sync', () => native.triggerSync(databaseId)),
    reconcile: () => writing('sync', () => native.reconcile(databaseId)),
    waitForFirstSync: (options) => waitForFirstSync(statusSource, options),
    waitForStatus: (predicate, signal) => waitForStatus(statusSource, predicate, signal),
    getParkedChanges: async () =>
      JSON.parse(await withWriter('statement', () => native.getParkedChanges(databaseId))) as ParkedChange[],
    retryParked: (ids) =>
      writing('statement', async () => native.retryParked(databaseId, idsToJson('retryParked', ids))),
    discardParked: (ids) =>
      writing('statement', async () => native.discardParked(databaseId, idsToJson('discardParked', ids))),
    getImportResult: () =>
      whileOpen(async () => JSON.parse(await native.getImportResult(databaseId)) as ImportResult | null),
    rekey: (given) =>
      writing('sync', async () => {
        await native.rekey(databaseId, JSON.stringify(checkKey('BadArgument', 'rekey: the key', given)));
      }),
    clearAndReconnect: () => writing('sync', () => native.clearAndReconnect(databaseId)),
    notifyForeground: () => notify('foreground'),
    notifyNetworkRegained: () => notify('networkRegained'),
    notifyCredentialsChanged: () => notify('credentialsChanged'),
    prepareForSuspend: () => withStatus(suspension.suspend),
    resume: () => withStatus(suspension.resume),
    signOut: (options) =>
      whileOpen(() => {
        if (life !== 'open') {
          throw calls.closedError();
        }
        const { onSignOut, timeoutMs } = checkSignOut(options);
        const leaving = signOut(onSignOut, timeoutMs);
        ending = leaving;
        return leaving;
      }),
    close: () => {
      closing ??= close();
      return closing;
    },
    registerListener: (given) => {
      const listener = checkListener(given);
      if (life !== 'open') {
        return () => undefined;
      }
      if (listener.tablesChanged !== undefined) {
        native.setTableEvents(databaseId, true);
      }
      const removals = [
        snapshot.add((next) => listener.statusChanged?.(next)),
        closingListeners.add(() => listener.closing?.()),
        closedListeners.add(() => listener.closed?.()),
      ];
      if (listener.tablesChanged !== undefined) {
        // Only a listener that takes the ids makes them be parsed.
        const wantsRowIds = listener.tablesChanged.length > 1;
        removals.push(
          tableEvents.add((tables, rowIds) => listener.tablesChanged?.(tables, wantsRowIds ? rowIds() : {}))
        );
      }
      return () => {
        for (const remove of removals) {
          remove();
        }
      };
    },
  };

  const database = Object.defineProperties(methods, Object.getOwnPropertyDescriptors(state)) as Database;
  return {
    database,
    fetchCredentials: () => whileOpen(() => askConnector(connector, sync.credentialsTimeoutMs ?? credentialsTimeoutMs)),
    uploadData: () => writing('sync', () => native.uploadData(databaseId)),
    fetchChanges: (since) => parsed(() => native.fetchChanges(databaseId, since)),
    health: () => parsed(() => native.health(databaseId)),
    populate: () => parsed(() => native.populate(databaseId)),
    notify,
  };
}
