/**
 * Shapes that cross to the native module as JSON text or as plain values. `NativeOmniiSync.ts` is the contract that
 * refers to them; the Rust engine parses and prints the very same shapes.
 */

/** `schema.toJSON()`, in the order the app declared things. Optional keys are there only where they say something. */
export type NativeSchema = {
  tables: NativeTable[];
};

/** One table; its `id TEXT PRIMARY KEY` is implied and not listed. */
export type NativeTable = {
  name: string;
  columns: { name: string; type: 'text' | 'integer' | 'real' | 'json' | 'boolean' | 'timestamp' | 'blob' }[];
  /** `-name` is descending order, unless a column has that very name. */
  indexes: { name: string; columns: string[] }[];
  required: string[];
  parents: string[];
  conflictPolicy: 'lastWriteWins' | 'clientWins' | 'serverWins';
  localOnly?: true;
  insertOnly?: true;
  /** Of all columns without `columns`. */
  trackPrevious?: { columns?: string[]; onlyWhenChanged?: boolean };
  trackMetadata?: true;
  /** The table's name in SQL. */
  viewName?: string;
};

/**
 * How the engine syncs. All optional; what is left out takes the engine's default, named below. All times are
 * whole milliseconds: 0 to 24 hours where 0 makes sense, else 10 ms to 24 hours (`reconcileIntervalMs`: 30 days).
 */
export type SyncOptions = {
  /** Time between rounds when nothing else asks for one, while the app is in use. Default 30,000. */
  pollIntervalMs?: number;
  /**
   * Longest time between rounds in the foreground when nothing has changed for three minutes, on a metered network, with a
   * low battery, and while the device says that it has no network. Default 300,000; a value below `pollIntervalMs` counts as that.
   */
  idlePollIntervalMs?: number;
  /** Time between rounds while the app runs in the background. Default 900,000; a value below `pollIntervalMs` counts as that. */
  backgroundPollIntervalMs?: number;
  /** How long local writes are gathered before they are pushed. Default 200; 0 pushes at once. */
  uploadThrottleMs?: number;
  /** How far behind the cursor a pull reads again to catch late commits (protocol 1). Default 30,000; 0 switches it off. */
  overlapMs?: number;
  /** Rows per table and page, 1 to 5,000. Default 1,000, growing to 5,000 while pages come quickly and stay below 8 MiB. */
  pageLimit?: number;
  /** Longest time one HTTP request may take. Default 60,000. */
  requestTimeoutMs?: number;
  /** Longest time `fetchCredentials` may take. Default 30,000. */
  credentialsTimeoutMs?: number;
  /** Longest time between two attempts after failures. Default 300,000. */
  maxBackoffMs?: number;
  /** Least time between two automatic sweeps for rows deleted on the backend. Default 21,600,000 (6 hours). */
  reconcileIntervalMs?: number;
  /** How long work may be outstanding without progress before the status says `Stalled`. Default 180,000. */
  stallTimeoutMs?: number;
};

/** What `open` takes, as JSON. */
export type NativeOpenOptions = {
  schema: NativeSchema;
  userId: string;
  directory: string | null;
  filename: string | null;
  sync: SyncOptions;
  /** The app uploads itself (`connector.uploadData`); absent: false. */
  customUpload?: boolean;
  /** What becomes of integers beyond ±(2^53 − 1) in results; absent: 'bigint'. With 'error' such a result rejects. */
  bigIntegers?: 'bigint' | 'error';
  /** A PowerSync database to be taken in once: a name in `directory`, or an absolute path. */
  importFrom?: string;
  /** What the file is encrypted with; absent: plain. */
  encryptionKey?: NativeEncryptionKey;
};

/** `raw`: 64 hex digits, the key itself; a key is derived of `passphrase`. */
export type NativeEncryptionKey = { passphrase: string } | { raw: string };

/** What `importFrom` took in. */
export type ImportResult = {
  /** Rows that are here now. */
  readonly rows: number;
  /** Changes that wait (or waited) to be uploaded. */
  readonly changes: number;
  /** Rows left out: of tables that the schema does not have, of another user, or unreadable. */
  readonly skippedRows: number;
  /** Changes left out: of such tables and rows, or of columns only that the schema does not have. */
  readonly skippedChanges: number;
  /** Values that their columns can't hold: NULL now, or not part of their change. */
  readonly lostValues: number;
};

/** What `getCrud` answers, as JSON. */
export type NativeCrud = {
  entries: NativeCrudEntry[];
  /** Whether there are more after the last one. */
  hasMore: boolean;
};

/** One pending change. */
export type NativeCrudEntry = {
  /** Grows with every change; never used twice. */
  id: number;
  /** Changes of one local transaction share it. */
  transaction: number;
  table: string;
  rowId: string;
  /** PUT for an insert, PATCH for an update. */
  op: 'PUT' | 'PATCH' | 'DELETE';
  /** Columns written, as SQLite holds them (JSON columns as text); null for DELETE. */
  data: Record<string, string | number | null> | null;
  /** Values before, with `trackPrevious`; null otherwise. */
  previous: Record<string, string | number | null> | null;
  /** What was written into `_metadata`, with `trackMetadata`. */
  metadata: string | null;
};

/** One word for where syncing stands. */
export type SyncStatusName = 'offline' | 'connecting' | 'syncing' | 'synced' | 'error';

/** What `getStatus` answers and `onStatusChanged` carries, as JSON. Times are milliseconds since the epoch. */
export type NativeStatus = {
  status: SyncStatusName;
  connected: boolean;
  connecting: boolean;
  uploading: boolean;
  downloading: boolean;
  pendingChanges: number;
  parkedChanges: number;
  hasSynced: boolean;
  lastSyncedAt: number | null;
  /** Absent: null. */
  lastReconciledAt?: number | null;
  /** Absent: 0. */
  refusedRows?: number;
  nextRetryAt: number | null;
  error: { code: string; message: string; retryable: boolean } | null;
  /** Why the last upload failed; absent: null. */
  uploadError?: NativeError | null;
  /** Why the last download failed; absent: null. */
  downloadError?: NativeError | null;
  /** Of the download under way; absent: null. `total` is an estimate while more may come. */
  downloadProgress?: { downloaded: number; total: number } | null;
  /** What the schedule goes by now; absent: 'active'. */
  syncFrequency?: 'active' | 'idle' | 'background' | 'metered' | 'lowBattery' | 'offline';
};

/** A failure as it crosses. */
export type NativeError = { code: string; message: string; retryable: boolean; table?: string; rowId?: string };

/** What `execute` and `query` answer. */
export type NativeResult = {
  columnNames: string[];
  rows: object[];
  rowsAffected: number;
  insertId?: number | null;
};

/** What `provideCredentials` takes as `error`, as JSON. `Network`: the app can't know without a network. */
export type NativeCredentialsError = { code: 'CredentialsFailed' | 'Network'; message: string };

/** What `provideCredentials` takes, as JSON; `null` for "signed out". `expiresAt` in milliseconds since the epoch. */
export type NativeCredentials = {
  endpoint: string;
  token: string;
  expiresAt: number | null;
} | null;
