/**
 * The public face of an open database, and the list of those that are open. What belongs together is declared where it is
 * made: queries.ts, syncReads.ts, prepared.ts, transaction.ts, live/types.ts, crud.ts.
 */
import type { AbortSignalLike } from './abort';
import { activeEvents, registerSession } from './active';
import type { SyncConnector } from './connector';
import type { UploadQueue } from './crud';
import type { DatabaseListener } from './databaseListener';
import type { EncryptionKey } from './encryption';
import type { FirstSyncOptions } from './firstSync';
import type { LiveQueries } from './live/types';
import type { OpenOptions } from './options';
import type { ParkedChange } from './parked';
import type { Prepares } from './prepared';
import type { Queries } from './queries';
import type { Schema } from './schema';
import { openSession, type Session } from './session';
import type { SignOutOptions } from './signOut';
import type { SyncStatus } from './status';
import type { SyncReads } from './syncReads';
import type { Transactions } from './transaction';
import type { ImportResult } from './types';

/** What `disconnectAndClear` takes. */
export type ClearOptions = {
  /** Whether tables that are only local are emptied, too. Default true. */
  clearLocal?: boolean | undefined;
};

/** What is known without asking. */
export type DatabaseState = {
  /** `close()` or `signOut()` was called. */
  readonly closed: boolean;
  /** True until it is closed: `openDatabase` resolves when everything is ready. */
  readonly ready: boolean;
  /** As in `currentStatus`. */
  readonly connected: boolean;
  readonly connecting: boolean;
  /** The schema it was opened with. */
  readonly schema: Schema;
  /** An immutable snapshot; the same object as long as nothing changed. */
  readonly currentStatus: SyncStatus;
};

/**
 * One user's open database. All methods reject with `SyncError`, with code `Closed` after `close()`.
 *
 * Everything that needs the writer (`execute`, `executeBatch`, transactions and locks that write, parked changes, syncing)
 * waits, in the order of the calls, for write transactions and write locks to end. Inside such a callback use what the
 * callback is given: a call on the database that is awaited there is rejected with `NestedTransaction`.
 */
export type Database = Queries & SyncReads & Prepares & Transactions & LiveQueries & UploadQueue & DatabaseState & {
  /** Resolves at once: `openDatabase` has done everything. For code written for PowerSync. */
  init(): Promise<void>;
  /** As `init`. */
  waitForReady(): Promise<void>;
  /**
   * Ends the app's statements that are running or waiting now; they reject with `Interrupted`. Syncing goes on, and so do
   * calls made later.
   */
  interrupt(): Promise<void>;
  /**
   * Starts syncing by itself, also again after failures. Resolves as soon as the engine has been told. The connector was
   * given to `openDatabase`; another one is refused (`BadArgument`).
   */
  connect(connector?: SyncConnector): Promise<void>;
  /** Stops syncing by itself and cancels the round in flight. Local work goes on; changes are kept for later. */
  disconnect(): Promise<void>;
  /**
   * Stops syncing and deletes everything that was synced, pending and parked changes included: to be used when somebody signs
   * out and the file stays. `signOut()` does so in one step, and keeps what has not been uploaded.
   */
  disconnectAndClear(options?: ClearOptions): Promise<void>;
  /**
   * Resolves when a full push and pull round that began after this call has finished; rejects with why it failed
   * (`Network`, `Unauthorized`, …). After `disconnect()` it does one round and stays disconnected.
   */
  triggerSync(): Promise<void>;
  /**
   * A round as `triggerSync()` does, that also reads the ids of every row on the backend and removes the rows that have
   * been deleted there. Incomplete, it removes nothing; rows with pending changes stay. The engine does this by itself at the first
   * connection and then every `sync.reconcileIntervalMs`.
   */
  reconcile(): Promise<void>;
  /**
   * Resolves when a complete round has been finished with this file; at once if that was so before. Rejects with
   * `Unauthorized` or `NoCredentials` when nothing will come until somebody signs in, with `Closed`, with `Timeout` after
   * `timeoutMs`, and with the signal's reason when that is aborted. Does not start syncing: call `connect()`.
   */
  waitForFirstSync(options?: FirstSyncOptions | AbortSignalLike): Promise<void>;
  /**
   * Resolves when `predicate` answers something truthy for the status: at once, or at one of its changes. Rejects with `Closed`,
   * with what the predicate throws, and with the signal's reason when that is aborted.
   */
  waitForStatus(predicate: (status: SyncStatus) => unknown, signal?: AbortSignalLike): Promise<void>;
  /** The changes that the backend refused for good, oldest first. Waits for open transactions to end, as `execute` does. */
  getParkedChanges(): Promise<ParkedChange[]>;
  /** Queues parked changes again, all of them without `ids`. Ids that are not parked are ignored. Answers how many. */
  retryParked(ids?: readonly number[]): Promise<number>;
  /**
   * Gives parked changes up, all of them without `ids`: the rows go back to the backend's version, with what is still
   * pending on top. Giving up an insert gives up the later changes of that row, too. Answers how many.
   */
  discardParked(ids?: readonly number[]): Promise<number>;
  /**
   * What this file has taken in of a PowerSync database (`importFrom`), now or when it was opened for the first time; null if
   * nothing.
   */
  getImportResult(): Promise<ImportResult | null>;
  /**
   * Encrypts the file with another key, or for the first time; from the next opening on it is needed as `encryptionKey`. Store
   * the new key before this is called, and the old one until it has resolved: at every moment the file has one of the two. All
   * connections are closed meanwhile, what is asked waits, and the disk must have room for the file once more. Rejects with
   * `Unsupported` in a build without SQLCipher, and with `Suspended` while the app is.
   */
  rekey(encryptionKey: EncryptionKey): Promise<void>;
  /** Drops all synced rows that have no pending change, forgets the cursors and connects: everything is fetched again. */
  clearAndReconnect(): Promise<void>;
  /**
   * The app came to the foreground: a round begins now, if syncing is wanted. `SyncProvider` calls this. Here as below,
   * resolves as soon as the engine has been told.
   */
  notifyForeground(): Promise<void>;
  /** The device is on a network again: a failed attempt is repeated now instead of after its backoff. */
  notifyNetworkRegained(): Promise<void>;
  /** Somebody signed in, or the token was renewed: credentials are asked for anew. A connector that can `subscribe` does this. */
  notifyCredentialsChanged(): Promise<void>;
  /**
   * For iOS, which ends apps that hold file locks while suspended: ends the round in flight and releases every lock. What
   * was asked before has a second to end (an open transaction is rolled back then), what is asked meanwhile waits for
   * `resume()`. May be called again. `SyncProvider` calls both.
   */
  prepareForSuspend(): Promise<void>;
  /**
   * Takes the file up again, and syncs if that was wanted before. May be called again. Rejects as `openDatabase` does; then
   * everything that needs the file is answered with that error until a later call succeeds.
   */
  resume(): Promise<void>;
  /**
   * The user signs out: pushes what is pending for at most `timeoutMs` (10 s), closes, and deletes the file if
   * `onSignOut` (`clearWhenSynced`) says so. Answers whether it was deleted. From the call on everything else is `Closed`;
   * it is also when this rejects. Call it before the token is given up, so that the last push can use it. A second call is
   * `Closed`.
   */
  signOut(options?: SignOutOptions): Promise<{ readonly cleared: boolean }>;
  /** Stops syncing, rolls back open transactions, closes the file. May be called again. Pending changes stay in the file. */
  close(): Promise<void>;
  /** Answers the function that ends the registration. On a closed database nothing is registered. */
  registerListener(listener: DatabaseListener): () => void;
};

/** Opens a session that the module-level functions find as well. */
export async function openListedSession(options: unknown): Promise<Session> {
  const listed: { unregister: () => void } = { unregister: () => undefined };
  const session = await openSession(options, {
    statusChanged: activeEvents.statusChanged,
    closed: () => {
      listed.unregister();
    },
  });
  listed.unregister = registerSession(session);
  return session;
}

/**
 * Opens or creates the user's database. Does not sync until `connect()` is called (`SyncProvider` does that).
 *
 * Rejects with `SyncError`: `Unsupported` (no native module on this platform), `InvalidOptions` (names the option and what was got), `AlreadyOpen` (close the other one
 * first), `Unwritable`, `CorruptDatabase` (the file is left as it is), `SchemaMismatch`, `UserMismatch`, `DiskFull`, `WrongKey`, `ImportFailed`.
 */
export async function openDatabase<S extends Schema>(options: OpenOptions<S>): Promise<Database> {
  return (await openListedSession(options)).database;
}
