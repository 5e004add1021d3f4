/**
 * The contract between JavaScript and the native module: codegen turns this file into the C++ base class that
 * `cpp/OmniiSyncModule` derives from. Nothing else in `js/` knows the module's methods; use `Database` instead.
 *
 * Conventions
 * - `databaseId` is what `open` answered; `transactionId` is what `begin` answered, and 0 means "no transaction".
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

  /** Runs one statement on the writer. Answers `{columnNames, rows, rowsAffected, insertId}`, `rows` an array of objects. */
  execute(
    databaseId: number,
    transactionId: number,
    sql: string,
    params: CodegenTypes.UnsafeObject
  ): Promise<CodegenTypes.UnsafeObject>;
  /** Runs one read-only statement on a reader connection. Answers as `execute` does. */
  query(databaseId: number, sql: string, params: CodegenTypes.UnsafeObject): Promise<CodegenTypes.UnsafeObject>;
  /** Begins a write transaction as soon as those before it have ended. Answers the transaction id. */
  begin(databaseId: number): Promise<number>;
  commit(databaseId: number, transactionId: number): Promise<void>;
  rollback(databaseId: number, transactionId: number): Promise<void>;

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
  /** `event`: 'foreground', 'networkRegained' or 'credentialsChanged'; answers as soon as the engine has been told. */
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

  /** Answers `onCredentialsRequested`: JSON of `{endpoint, token, expiresAt?}`, `'null'` for "signed out", or `error` set. */
  provideCredentials(databaseId: number, requestId: number, credentials: string, error: string): void;

  readonly onStatusChanged: CodegenTypes.EventEmitter<NativeStatusEvent>;
  readonly onTablesChanged: CodegenTypes.EventEmitter<NativeTablesEvent>;
  readonly onCredentialsRequested: CodegenTypes.EventEmitter<NativeCredentialsEvent>;
}

export default TurboModuleRegistry.getEnforcing<Spec>('OmniiSync');
