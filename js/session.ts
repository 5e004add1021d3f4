/**
 * One open database: the engine's id, the app's connector and everything that is said between them.
 *
 * Owns the snapshot of the status and the subscriptions to native events; guarantees that nothing is emitted after
 * `close()` and that every rejection is a `SyncError`. `Database` is the part of it that apps see.
 */
import {
  checkCredentials,
  createCredentialsResponder,
  type Credentials,
  credentialsMessage,
  type SyncConnector,
} from './connector';
import type { Database, DatabaseListener } from './database';
import { describe, isRecord } from './describe';
import { SyncError, toSyncError } from './errors';
import { createListeners } from './listeners';
import native from './NativeOmniiSync';
import { checkOpenOptions } from './options';
import { createQueries, type Run } from './queries';
import { closedStatus, parseStatus, type SyncStatus } from './status';
import { runTransaction, type Transaction } from './transaction';
import type { NativeResult } from './types';

/** An open database with the parts that are not on `Database`. */
export type Session = {
  readonly database: Database;
  /** The app asked for syncing: `connect()` or `clearAndReconnect()` was called, and `disconnect()` not since. */
  isConnectionWanted: () => boolean;
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
  /** `close()` was called. */
  closed: () => void;
};

function checkListener(listener: unknown): DatabaseListener {
  if (!isRecord(listener)) {
    throw new SyncError('BadArgument', `registerListener takes { statusChanged?, tablesChanged? }; got ${describe(listener)}`);
  }
  for (const name of ['statusChanged', 'tablesChanged']) {
    const given = listener[name];
    if (given !== undefined && typeof given !== 'function') {
      throw new SyncError('BadArgument', `registerListener: ${name} must be a function; got ${describe(given)}`);
    }
  }
  return listener;
}

/** The engine's default (rust/core/src/options.rs). */
const credentialsTimeoutMs = 30_000;

/** What `answer` resolves to; rejects with `CredentialsTimeout` if that takes longer. */
async function inTime<T>(answer: Promise<T>, timeoutMs: number): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      reject(new SyncError('CredentialsTimeout', `fetchCredentials did not answer within ${timeoutMs} ms`, true));
    }, timeoutMs);
  });
  try {
    return await Promise.race([answer, late]);
  } finally {
    clearTimeout(timer);
  }
}

async function openNative(options: string): Promise<number> {
  try {
    return await native.open(options);
  } catch (thrown) {
    throw toSyncError(thrown);
  }
}

/** Checks the options and opens the file; see `openDatabase` for the errors. */
export async function openSession(given: unknown, events: SessionEvents): Promise<Session> {
  const { native: options, connector } = checkOpenOptions(given);
  const databaseId = await openNative(JSON.stringify(options));
  try {
    return createSession(databaseId, connector, events, options.sync.credentialsTimeoutMs ?? credentialsTimeoutMs);
  } catch (thrown) {
    await native.close(databaseId);
    throw toSyncError(thrown);
  }
}

function createSession(
  databaseId: number,
  connector: SyncConnector,
  events: SessionEvents,
  timeoutMs: number
): Session {
  const statusListeners = createListeners<[status: SyncStatus]>('statusChanged');
  const tablesListeners = createListeners<[tables: readonly string[]]>('tablesChanged');
  let statusJson = native.getStatus(databaseId);
  let status = parseStatus(statusJson);
  let open = true;
  let closing: Promise<void> | null = null;
  let connectionWanted = false;
  const isOpen = (): boolean => open;

  const setStatus = (next: SyncStatus): void => {
    status = next;
    statusListeners.emit(status);
    events.statusChanged();
  };

  /**
   * Events say when to look, `getStatus` says what is there: read this way the snapshot never goes back to an event
   * that was still on its way when a call had already seen its effect.
   */
  const refreshStatus = (): void => {
    if (!isOpen()) {
      return;
    }
    const json = native.getStatus(databaseId);
    if (json !== statusJson) {
      statusJson = json;
      setStatus(parseStatus(json));
    }
  };

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
  const withStatus = (work: () => Promise<void>): Promise<void> =>
    whileOpen(async () => {
      try {
        await work();
      } finally {
        refreshStatus();
      }
    });

  const parsed = (work: () => Promise<string>): Promise<unknown> =>
    whileOpen(async () => JSON.parse(await work()) as unknown);

  const write: Run = (sql, parameters) =>
    whileOpen(async () => {
      const result = (await native.execute(databaseId, 0, sql, parameters)) as NativeResult;
      if (result.rowsAffected > 0) {
        refreshStatus();
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
      refreshStatus();
    }
  };

  const answerCredentials = createCredentialsResponder(native, databaseId, connector, isOpen);
  const subscriptions = [
    native.onStatusChanged((event) => {
      if (event.databaseId === databaseId) {
        refreshStatus();
      }
    }),
    native.onTablesChanged((event) => {
      if (event.databaseId === databaseId && isOpen()) {
        tablesListeners.emit(event.tables);
      }
    }),
    native.onCredentialsRequested((event) => {
      if (event.databaseId === databaseId && isOpen()) {
        answerCredentials(event.requestId).catch((thrown: unknown) => {
          console.error('@omnii/sync: credentials could not be handed to the engine', toSyncError(thrown));
        });
      }
    }),
  ];

  const close = async (): Promise<void> => {
    for (const subscription of subscriptions) {
      subscription.remove();
    }
    connectionWanted = false;
    events.closed();
    setStatus(closedStatus(status));
    statusListeners.clear();
    tablesListeners.clear();
    try {
      await native.close(databaseId);
    } catch (thrown) {
      throw toSyncError(thrown);
    }
  };

  const database: Database = {
    ...createQueries(write, read),
    writeTransaction,
    connect: () =>
      withStatus(() => {
        connectionWanted = true;
        return native.connect(databaseId);
      }),
    disconnect: () =>
      withStatus(() => {
        connectionWanted = false;
        return native.disconnect(databaseId);
      }),
    triggerSync: () => withStatus(() => native.triggerSync(databaseId)),
    clearAndReconnect: () =>
      withStatus(() => {
        connectionWanted = true;
        return native.clearAndReconnect(databaseId);
      }),
    close: () => {
      if (closing === null) {
        open = false;
        closing = close();
      }
      return closing;
    },
    get currentStatus() {
      return status;
    },
    registerListener: (given) => {
      const listener = checkListener(given);
      if (!isOpen()) {
        return () => undefined;
      }
      const removals = [
        statusListeners.add((next) => listener.statusChanged?.(next)),
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
    isConnectionWanted: () => connectionWanted,
    fetchCredentials: () =>
      whileOpen(async () => {
        try {
          const answer = await inTime(connector.fetchCredentials(), timeoutMs);
          checkCredentials(answer);
          return answer;
        } catch (thrown) {
          if (thrown instanceof SyncError) {
            throw thrown;
          }
          throw new SyncError('CredentialsFailed', credentialsMessage(thrown), true);
        }
      }),
    uploadData: () => withStatus(() => native.uploadData(databaseId)),
    fetchChanges: (since) => parsed(() => native.fetchChanges(databaseId, since)),
    health: () => parsed(() => native.health(databaseId)),
    populate: () => parsed(() => native.populate(databaseId)),
  };
}
