/**
 * The contract between JavaScript and the native module: codegen turns this file into the C++ base class that
 * `cpp/OmniiSyncModule` derives from. Nothing else in `js/` knows the module's methods; use `Database` instead.
 *
 * Conventions
 * - `databaseId` is what `open` answered; `transactionId` is what `begin` answered, and 0 means "no transaction".
 *   `watchId` is what `watch` answered.
 * - SQL parameters are an array of `null | boolean | number | bigint | string | ArrayBuffer`.
 * - A rejected promise carries an `Error` with `code: string` and `retryable: boolean` beside its message.
 * - Structured options and answers travel as JSON text; their shapes are in `types.ts`.
 */
import type { CodegenTypes, TurboModule } from 'react-native';
import { TurboModuleRegistry } from 'react-native';

export type NativeStatusEvent = {
  databaseId: number;
  /** JSON of `NativeStatus` (types.ts). */
  status: string;
};

export type NativeTablesEvent = {
  databaseId: number;
  /** Names of the tables that one commit changed; never empty. */
  tables: ReadonlyArray<string>;
  /** JSON of `{[table]: string[]}`: the ids of all rows that changed in it. A table is missing when they are too many or unknown. */
  rowIds: string;
};

export type NativeWatchEvent = {
  databaseId: number;
  watchId: number;
  /** JSON of `{code, message, retryable}` if the query failed; '' if `takeWatched` has something. */
  error: string;
};

export type NativeUploadEvent = {
  databaseId: number;
  /** To be answered exactly once by `finishUpload`. */
  requestId: number;
};

export type NativeCredentialsEvent = {
  databaseId: number;
  /** To be answered exactly once by `provideCredentials`. */
  requestId: number;
};

export interface Spec extends TurboModule {
  /** Opens or creates the user's database. `options`: JSON of `NativeOpenOptions`. Answers the database id. */
  open(options: string): Promise<number>;
  /** Stops syncing, rolls back open transactions, closes the file. Nothing is emitted for this id afterwards. */
  close(databaseId: number): Promise<void>;

  /**
   * Runs one statement on the writer, or in the transaction or lock given. Answers
   * `{columnNames, rows, rowsAffected, insertId}`, `rows` an array of objects.
   */
  execute(
    databaseId: number,
    transactionId: number,
    sql: string,
    params: CodegenTypes.UnsafeObject
  ): Promise<CodegenTypes.UnsafeObject>;
  /** Runs one read-only statement on a reader connection. Answers as `execute` does. */
  query(databaseId: number, sql: string, params: CodegenTypes.UnsafeObject): Promise<CodegenTypes.UnsafeObject>;
  /** As `execute`, but `rows` is an array of arrays, one value per column. */
  executeRaw(
    databaseId: number,
    transactionId: number,
    sql: string,
    params: CodegenTypes.UnsafeObject
  ): Promise<CodegenTypes.UnsafeObject>;
  /**
   * Runs one statement once per element of `paramSets`, an array of parameter arrays; all or nothing, in a transaction of
   * its own if there is none. Answers the rows changed in all.
   */
  executeBatch(
    databaseId: number,
    transactionId: number,
    sql: string,
    paramSets: CodegenTypes.UnsafeObject
  ): Promise<number>;
  /** As `query`, at once, on the JS thread. Throws what the promise would reject with. */
  querySync(databaseId: number, sql: string, params: CodegenTypes.UnsafeObject): CodegenTypes.UnsafeObject;
  /** What a statement is, without running it: JSON of `{tables: string[], readOnly: boolean, parameters: number, columnNames: string[]}`. */
  describe(databaseId: number, sql: string): Promise<string>;
  /** Ends the app's statements that are running or waiting now; they reject with `Interrupted`. Syncing goes on. */
  interrupt(databaseId: number): Promise<void>;

  /**
   * Begins as soon as what is before it has ended: `mode` 'write' (a transaction), 'writeLock' (the writer, each statement
   * commits by itself), 'read' (one snapshot of the data) or 'readLock' (one read-only connection). Answers the transaction id.
   */
  begin(databaseId: number, mode: string): Promise<number>;
  /** Ends what `begin` began. */
  commit(databaseId: number, transactionId: number): Promise<void>;
  rollback(databaseId: number, transactionId: number): Promise<void>;

  /**
   * Watches the result of a read-only statement. `options`: JSON of `{throttleMs: number, tables: string[] | null}`; without
   * `tables`, those that the statement reads. Answers the watch id; the first result is announced as every other one is, by
   * `onWatchChanged`, as soon as it is there. Rejects if the statement can't be prepared.
   */
  watch(databaseId: number, sql: string, params: CodegenTypes.UnsafeObject, options: string): Promise<number>;
  /**
   * The newest result, as a change of the one taken before: `{rows: object[], kept: number[] | null}`. `kept` has one number for
   * each row of the result: the index the very same row had in the result taken before, or -1 for the next one of `rows`.
   * null: all rows are in `rows`. Answers null when nothing has changed since.
   */
  takeWatched(databaseId: number, watchId: number): CodegenTypes.UnsafeObject | null;
  /** Ends a watch; no event comes for it afterwards. */
  unwatch(databaseId: number, watchId: number): void;
  /** Whether `onTablesChanged` is wanted; not at first. */
  setTableEvents(databaseId: number, wanted: boolean): void;

  /** Starts syncing by itself; answers as soon as the engine has been told. */
  connect(databaseId: number): Promise<void>;
  /** Stops syncing by itself and cancels the round in flight. */
  disconnect(databaseId: number): Promise<void>;
  /** Answers when a full push and pull round that began after this call has finished. */
  triggerSync(databaseId: number): Promise<void>;
  /** Pushes what is pending, without a pull. */
  uploadData(databaseId: number): Promise<void>;
  /** Drops all synced rows that have no pending change, forgets the cursors, connects again. */
  clearAndReconnect(databaseId: number): Promise<void>;
  /** As `triggerSync`, and the round also sweeps for rows that were deleted on the backend. */
  reconcile(databaseId: number): Promise<void>;
  /** JSON of `ParkedChange[]` (parked.ts), oldest first. */
  getParkedChanges(databaseId: number): Promise<string>;
  /** Queues parked changes again. `ids`: a JSON array of change ids, '' for all. Answers how many. */
  retryParked(databaseId: number, ids: string): Promise<number>;
  /** Gives parked changes up. `ids` as above. Answers how many. */
  discardParked(databaseId: number, ids: string): Promise<number>;
  /** Stops syncing and deletes everything that was synced, pending changes included; with `clearLocal`, tables that are only local, too. */
  clear(databaseId: number, clearLocal: boolean): Promise<void>;
  /**
   * Pending changes for an upload by the app, oldest first. `options`: JSON of `{after: number | null, transactions: number,
   * entries: number}`: after this change id, from at most so many transactions, about so many entries (a transaction is not cut
   * unless `transactions` is 0, which means "whatever transaction"). Answers JSON of `NativeCrud` (types.ts).
   */
  getCrud(databaseId: number, options: string): Promise<string>;
  /** Takes pending changes up to this change id from the outbox: the app has uploaded them. */
  completeCrud(databaseId: number, lastId: number): Promise<void>;
  /** JSON of `{count: number, size: number | null}`: pending changes, and their bytes if `includeSize`. */
  getUploadQueueStats(databaseId: number, includeSize: boolean): Promise<string>;
  /** Stands for this file on this device, made at its first opening. */
  getClientId(databaseId: number): Promise<string>;
  /** JSON of `ImportResult` (types.ts), now or from an earlier opening; `null` if nothing was taken in. */
  getImportResult(databaseId: number): Promise<string>;
  /** Writes the file anew with another key: JSON of `NativeEncryptionKey`. What is asked meanwhile waits. */
  rekey(databaseId: number, key: string): Promise<void>;
  /** Answers `onUploadRequested`: '' when all is uploaded that can be, else why not. */
  finishUpload(databaseId: number, requestId: number, error: string): void;
  /**
   * `event`: 'foreground', 'background', 'active' (the user does something), 'networkRegained', 'networkLost', 'metered',
   * 'unmetered', 'batteryLow', 'batteryOk' or 'credentialsChanged'; answers as soon as the engine has been told.
   */
  notify(databaseId: number, event: string): Promise<void>;
  /** Ends the round in flight and releases every lock on the file. To be awaited before `resume`: the two may overtake each other. */
  prepareForSuspend(databaseId: number): Promise<void>;
  resume(databaseId: number): Promise<void>;
  /**
   * Pushes for at most `timeoutMs`, closes, deletes the file if `policy` ('keep', 'clearWhenSynced', 'clear') says so.
   * Answers whether it was deleted. Credentials may be asked for until it has answered; afterwards the database is
   * closed, also when it rejected (but for `BadArgument`).
   */
  signOut(databaseId: number, policy: string, timeoutMs: number): Promise<boolean>;
  /** One page as the backend sends it, as JSON text; nothing is applied. `since` '' means from the beginning. */
  fetchChanges(databaseId: number, since: string): Promise<string>;
  /** The backend's health answer as JSON text. */
  health(databaseId: number): Promise<string>;
  /** Asks the backend to import from other systems; its answer as JSON text. */
  populate(databaseId: number): Promise<string>;
  /** JSON of the current `NativeStatus`. */
  getStatus(databaseId: number): string;

  /** Answers `onCredentialsRequested`: JSON of `{endpoint, token, expiresAt?}`, `'null'` for "signed out"; or `error`, else '', JSON of `NativeCredentialsError`. */
  provideCredentials(databaseId: number, requestId: number, credentials: string, error: string): void;

  readonly onStatusChanged: CodegenTypes.EventEmitter<NativeStatusEvent>;
  readonly onTablesChanged: CodegenTypes.EventEmitter<NativeTablesEvent>;
  readonly onWatchChanged: CodegenTypes.EventEmitter<NativeWatchEvent>;
  /** Only with `customUpload` in the options of `open`. */
  readonly onUploadRequested: CodegenTypes.EventEmitter<NativeUploadEvent>;
  readonly onCredentialsRequested: CodegenTypes.EventEmitter<NativeCredentialsEvent>;
}

// `@omnii/sync/jest` leaves its stand-in here.
const standIn = (globalThis as Record<symbol, unknown>)[Symbol.for('@omnii/sync/native')] as Spec | undefined;
// Importing must not fail where the module, or even the registry, is missing (web, Expo Go): then this is null, whatever its
// type says, and `platform.ts` refuses before anything is called.
const registry = TurboModuleRegistry as typeof TurboModuleRegistry | undefined;
const found = standIn ?? (registry === undefined ? null : TurboModuleRegistry.get<Spec>('OmniiSync'));

export default found as unknown as Spec;
