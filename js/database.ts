/** The public face of an open database, and the list of those that are open. */
import { activeEvents, registerSession } from './active';
import type { DatabaseListener } from './databaseListener';
import type { FirstSyncOptions } from './firstSync';
import type { OpenOptions } from './options';
import type { ParkedChange } from './parked';
import type { Queries } from './queries';
import type { Schema } from './schema';
import { openSession, type Session } from './session';
import type { SignOutOptions } from './signOut';
import type { SyncStatus } from './status';
import type { Transaction } from './transaction';

/**
 * One user's open database. All methods reject with `SyncError`, with code `Closed` after `close()`.
 *
 * `execute` outside a transaction waits for open transactions to end: inside the callback of `writeTransaction` use
 * `tx.execute`, or it waits for ever.
 */
export type Database = Queries & {
  /**
   * Runs `callback` in one write transaction, after those begun before it. Commits when it resolves and answers its
   * result; rolls back when it throws and rejects with exactly what it threw. Row and upload entry commit together.
   */
  writeTransaction<T>(callback: (tx: Transaction) => Promise<T> | T): Promise<T>;
  /** Starts syncing by itself, also again after failures. Resolves as soon as the engine has been told. */
  connect(): Promise<void>;
  /** Stops syncing by itself and cancels the round in flight. Local work goes on; changes are kept for later. */
  disconnect(): Promise<void>;
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
  waitForFirstSync(options?: FirstSyncOptions): Promise<void>;
  /** The changes that the backend refused for good, oldest first. Waits for open transactions to end, as `execute` does. */
  getParkedChanges(): Promise<ParkedChange[]>;
  /** Queues parked changes again, all of them without `ids`. Ids that are not parked are ignored. Answers how many. */
  retryParked(ids?: readonly number[]): Promise<number>;
  /**
   * Gives parked changes up, all of them without `ids`: the rows go back to the backend's version, with what is still
   * pending on top. Giving up an insert gives up the later changes of that row, too. Answers how many.
   */
  discardParked(ids?: readonly number[]): Promise<number>;
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
  /** An immutable snapshot; the same object as long as nothing changed. */
  readonly currentStatus: SyncStatus;
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
 * first), `Unwritable`, `CorruptDatabase` (the file is left as it is), `SchemaMismatch`, `UserMismatch`, `DiskFull`.
 */
export async function openDatabase<S extends Schema>(options: OpenOptions<S>): Promise<Database> {
  return (await openListedSession(options)).database;
}
