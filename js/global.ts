/**
 * Module-level functions for apps that have one database and do not want to pass it around. They act on the database
 * opened last that is still open, by `openDatabase` or by a `SyncProvider`. Where the native module is missing they fail with
 * `Unsupported` instead of `NotOpen`.
 */
import { activeStatus, addActiveStatusListener, requireSession } from './active';
import type { Credentials } from './connector';
import { describe, isRecord } from './describe';
import { SyncError } from './errors';
import type { FirstSyncOptions } from './firstSync';
import { reportListenerError } from './listeners';
import type { Session } from './session';
import type { SyncStatus } from './status';

/** One page as the backend sends it. */
export type ChangesPage = {
  /** Rows by table, with JSON columns as JSON values. A table that is missing failed on the backend. */
  changes: Record<string, Record<string, unknown>[]>;
  /** The backend's clock, ISO 8601. Not a cursor. */
  timestamp: string;
  /** Whether any table had as many rows as the page may hold. */
  hasMore: boolean;
};

/** Direct access to the backend, beside the engine's own syncing. All methods reject with `SyncError`. */
export type BackendConnector = {
  /** Asks the app's connector, now. */
  fetchCredentials(): Promise<Credentials | null>;
  /** Pushes what is pending, without a pull. Rejects with why it failed. */
  uploadData(): Promise<void>;
  /** One raw page of rows changed after `since` (ISO 8601; left out: from the beginning). Nothing is applied. */
  fetchChanges(since?: string): Promise<ChangesPage>;
  /** The backend's health answer: `{status, userId, timestamp}`. */
  health(): Promise<Record<string, unknown>>;
  /** Asks the backend to import from other systems. Its answer: `{success, synced}`. */
  populate(): Promise<Record<string, unknown>>;
};

const connectors = new WeakMap<Session, BackendConnector>();

function record(answer: unknown): Record<string, unknown> {
  if (!isRecord(answer)) {
    throw new SyncError('BadResponse', `the backend answered ${describe(answer)} where an object is expected`, true);
  }
  return answer;
}

function createBackendConnector(session: Session): BackendConnector {
  return {
    fetchCredentials: session.fetchCredentials,
    uploadData: session.uploadData,
    fetchChanges: async (since) => {
      if (since !== undefined && typeof since !== 'string') {
        throw new SyncError('BadArgument', `fetchChanges: since must be an ISO 8601 string; got ${describe(since)}`);
      }
      return record(await session.fetchChanges(since ?? '')) as ChangesPage;
    },
    health: async () => record(await session.health()),
    populate: async () => record(await session.populate()),
  };
}

/** The connector object of the open database; the same one until `resetConnector()`. Throws `SyncError{code: 'NotOpen'}`. */
export function getConnector(): BackendConnector {
  const session = requireSession();
  const existing = connectors.get(session);
  if (existing !== undefined) {
    return existing;
  }
  const made = createBackendConnector(session);
  connectors.set(session, made);
  return made;
}

/**
 * Disconnects the open database and forgets its connector object: the next `getConnector()` makes a new one. Data and
 * pending changes stay; `connect()` resumes. Rejects with `NotOpen`.
 */
export async function resetConnector(): Promise<void> {
  const session = requireSession();
  connectors.delete(session);
  await session.database.disconnect();
}

/** `Database.triggerSync()` of the open database. Rejects with `NotOpen` if there is none. */
export async function triggerSync(): Promise<void> {
  await requireSession().database.triggerSync();
}

/** `Database.disconnect()` of the open database. Rejects with `NotOpen` if there is none. */
export async function disconnect(): Promise<void> {
  await requireSession().database.disconnect();
}

/** `Database.clearAndReconnect()` of the open database. Rejects with `NotOpen` if there is none. */
export async function clearAndReconnect(): Promise<void> {
  await requireSession().database.clearAndReconnect();
}

/** `Database.reconcile()` of the open database. Rejects with `NotOpen` if there is none. */
export async function reconcile(): Promise<void> {
  await requireSession().database.reconcile();
}

/** `Database.waitForFirstSync()` of the open database. Rejects with `NotOpen` if there is none. */
export async function waitForFirstSync(options?: FirstSyncOptions): Promise<void> {
  await requireSession().database.waitForFirstSync(options);
}

/** `Database.notifyNetworkRegained()` of the open database. Rejects with `NotOpen` if there is none. */
export async function notifyNetworkRegained(): Promise<void> {
  await requireSession().database.notifyNetworkRegained();
}

/**
 * Calls `listener` at once with the current status and again at each change, also when a database is opened or closed
 * later; without an open database the status is `offline`. A listener that throws is reported and stays.
 */
export function addStatusListener(listener: (status: SyncStatus) => void): { remove: () => void } {
  if (typeof listener !== 'function') {
    throw new SyncError('BadArgument', `addStatusListener takes a function; got ${describe(listener)}`);
  }
  const remove = addActiveStatusListener(listener);
  try {
    listener(activeStatus());
  } catch (thrown) {
    reportListenerError('a status listener', thrown);
  }
  return { remove };
}
