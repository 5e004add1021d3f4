/** The public face of an open database, and the list of those that are open. */
import { activeEvents, registerSession } from './active';
import type { OpenOptions } from './options';
import type { Queries } from './queries';
import type { Schema } from './schema';
import { openSession, type Session } from './session';
import type { SyncStatus } from './status';
import type { Transaction } from './transaction';

/** What `registerListener` takes. Called on the JS thread, after the fact; a listener that throws is reported and the rest go on. */
export type DatabaseListener = {
  /** The snapshot was replaced. The last call, when the database is closed, says `offline`. */
  statusChanged?(status: SyncStatus): void;
  /** One commit, local or from the backend, changed these tables; never empty, one call per commit. */
  tablesChanged?(tables: readonly string[]): void;
};

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
  /** Drops all synced rows that have no pending change, forgets the cursors and connects: everything is fetched again. */
  clearAndReconnect(): Promise<void>;
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
 * Rejects with `SyncError`: `InvalidOptions` (names the option and what was got), `AlreadyOpen` (close the other one
 * first), `Unwritable`, `CorruptDatabase` (the file is left as it is), `SchemaMismatch`, `UserMismatch`, `DiskFull`.
 */
export async function openDatabase<S extends Schema>(options: OpenOptions<S>): Promise<Database> {
  return (await openListedSession(options)).database;
}
