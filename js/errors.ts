/**
 * The one error that leaves this package. Owns the list of codes, which is part of the public API: codes are added,
 * never renamed, and nobody is meant to match on message text.
 */

/**
 * What went wrong. `retryable` below says what the engine itself believes; by code it is usually
 *
 * | code | meaning | retryable |
 * | --- | --- | --- |
 * | `NotOpen` | no database is open (module-level functions, `useSyncState` actions while signed out) | no |
 * | `Unsupported` | the native module is not in this app: web, Expo Go, or a build made before the package was added; or `encryptionKey` in a build without SQLCipher | no |
 * | `AlreadyOpen` | the same database file is open already in this process | no |
 * | `Closed` | the database was closed before or during the call | no |
 * | `BadArgument` | an argument of a method has the wrong type or value | no |
 * | `InvalidSchema` | the schema can't work; the message names table and column | no |
 * | `InvalidOptions` | an option of `openDatabase`, `SyncProvider` or `supabaseConnector` is wrong; the message names it | no |
 * | `Sql` | SQLite refused the statement (syntax, unknown table, …) | no |
 * | `Constraint` | a constraint of the local table was violated | no |
 * | `Busy` | the file is locked by someone else for too long | yes |
 * | `ReadOnly` | a writing statement was given to a reading method | no |
 * | `TransactionEnded` | a transaction object was used after its callback had ended | no |
 * | `NestedTransaction` | a call that needs the writer waited for a transaction that did nothing meanwhile: it was most likely made inside the callback, where `tx` must be used | no |
 * | `NotFound` | `get` found no row | no |
 * | `Unwritable` | the directory or file can't be created or written | no |
 * | `CorruptDatabase` | the file is not a database, or a damaged one | no |
 * | `WrongKey` | the file is encrypted with another key, or is encrypted and no `encryptionKey` was given; it was left untouched | no |
 * | `ImportFailed` | the file named by `importFrom` is damaged or no PowerSync database; nothing was changed | no |
 * | `DiskFull` | no space left; nothing of the statement was stored | yes |
 * | `SchemaMismatch` | the file is of a newer version, or its tables can't be brought to the schema given | no |
 * | `UserMismatch` | the file belongs to another user | no |
 * | `NoCredentials` | `fetchCredentials` answered null: signed out; asked again later | yes |
 * | `CredentialsFailed` | `fetchCredentials` threw or answered something that is no credentials | yes |
 * | `CredentialsTimeout` | `fetchCredentials` did not answer in time | yes |
 * | `Unauthorized` | the backend refused the token, and a fresh one too (401), or the user (403) | yes |
 * | `Network` | the backend can't be reached | yes |
 * | `Timeout` | the backend did not answer in time, or `waitForFirstSync` took longer than its `timeoutMs` | yes |
 * | `Server` | the backend answered 5xx, 429 or 408 | yes |
 * | `BadResponse` | the backend's answer is not what the protocol says | yes |
 * | `TooLarge` | the backend refused a request as too large | no |
 * | `Rejected` | the backend refused a request or a change for good | no |
 * | `CursorStalled` | more rows share one instant than a page can hold; the message names the table | no |
 * | `TableFailed` | the backend failed to read one of the tables, or rows of it could not be used; the others went on | yes |
 * | `ForeignRow` | the backend sent a row of another user; it was not stored | no |
 * | `UploadFailed` | the connector's own `uploadData` failed; it is asked again | yes |
 * | `Stalled` | work was outstanding and nothing moved for `sync.stallTimeoutMs`; attempts go on | yes |
 * | `Interrupted` | `interrupt()` ended the statement | yes |
 * | `Suspended` | a `…Sync` call while the app is suspended and the file closed; other calls wait for `resume()` | yes |
 * | `OutOfRange` | a result holds an integer beyond ±(2^53 − 1), and `bigIntegers` is `'error'`; the message names the column | no |
 * | `Disconnected` | `disconnect()` or `clearAndReconnect()` cancelled the call | yes |
 * | `Internal` | a fault of this package; please report it | no |
 */
export const syncErrorCodes = [
  'NotOpen',
  'Unsupported',
  'AlreadyOpen',
  'Closed',
  'BadArgument',
  'InvalidSchema',
  'InvalidOptions',
  'Sql',
  'Constraint',
  'Busy',
  'ReadOnly',
  'TransactionEnded',
  'NestedTransaction',
  'NotFound',
  'Unwritable',
  'CorruptDatabase',
  'WrongKey',
  'ImportFailed',
  'DiskFull',
  'SchemaMismatch',
  'UserMismatch',
  'NoCredentials',
  'CredentialsFailed',
  'CredentialsTimeout',
  'Unauthorized',
  'Network',
  'Timeout',
  'Server',
  'BadResponse',
  'TooLarge',
  'Rejected',
  'CursorStalled',
  'TableFailed',
  'ForeignRow',
  'UploadFailed',
  'Stalled',
  'Interrupted',
  'Suspended',
  'OutOfRange',
  'Disconnected',
  'Internal',
] as const;

/** One of {@link syncErrorCodes}. */
export type SyncErrorCode = (typeof syncErrorCodes)[number];

const known: ReadonlySet<string> = new Set(syncErrorCodes);

function isCode(value: unknown): value is SyncErrorCode {
  return typeof value === 'string' && known.has(value);
}

/** What else is known of a failure. */
export type SyncErrorDetails = {
  table?: string | undefined;
  rowId?: string | undefined;
  cause?: unknown;
};

/** Every failure of this package. `message` says what to do about it and never holds tokens or row data. */
export class SyncError extends Error {
  override readonly name = 'SyncError';
  /** Stable; see {@link SyncErrorCode}. */
  readonly code: SyncErrorCode;
  /** True if the same call may succeed later without the app changing anything. */
  readonly retryable: boolean;
  /** The table it is about, where one is known. */
  readonly table: string | undefined;
  /** The `id` of the row it is about, where one is known. */
  readonly rowId: string | undefined;

  constructor(code: SyncErrorCode, message: string, retryable = false, { table, rowId, cause }: SyncErrorDetails = {}) {
    super(message);
    this.code = code;
    this.retryable = retryable;
    this.table = table;
    this.rowId = rowId;
    if (cause !== undefined) {
      this.cause = cause;
    }
  }
}

/**
 * Makes a `SyncError` of whatever was thrown. A `SyncError` passes through unchanged. An object with a known `code`,
 * which is what the native module rejects with, keeps code, message, `retryable`, `table`, `rowId` and, if it has frames, its
 * stack.
 * Everything else, an unknown code included, becomes `Internal`.
 */
export function toSyncError(thrown: unknown): SyncError {
  if (thrown instanceof SyncError) {
    return thrown;
  }
  if (typeof thrown !== 'object' || thrown === null) {
    return new SyncError('Internal', String(thrown));
  }
  const { code, retryable, message, stack, table, rowId, cause } = thrown as Readonly<Record<string, unknown>>;
  const text = typeof message === 'string' && message !== '' ? message : 'an error without a message';
  const details: SyncErrorDetails = {
    table: typeof table === 'string' ? table : undefined,
    rowId: typeof rowId === 'string' ? rowId : undefined,
    cause,
  };
  const error = isCode(code)
    ? new SyncError(code, text, retryable === true, details)
    : new SyncError('Internal', typeof code === 'string' ? `${text} (${code})` : text, retryable === true, details);
  // An error made in C++ has a stack without frames, which says less than our own.
  if (typeof stack === 'string' && /^\s+at /m.test(stack)) {
    error.stack = stack;
  }
  return error;
}
