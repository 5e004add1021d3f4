/** What the app is told about syncing: one immutable snapshot, replaced as a whole. */
import { type SyncError, toSyncError } from './errors';
import type { NativeStatus, SyncStatusName } from './types';

/** What the schedule goes by; see `SyncStatus.syncFrequency`. */
export type SyncFrequency = NonNullable<NativeStatus['syncFrequency']>;

/** How far the download under way is. */
export type DownloadProgress = {
  /** Rows applied so far by this download, in all tables together. */
  readonly downloadedOperations: number;
  /**
   * An estimate, never less than `downloadedOperations`: what is there, and one more page while the last one was full.
   * The backend does not say how much is to come, so it grows while pages are full.
   */
  readonly totalOperations: number;
  /** 0 to 1. It may go back when there is more to come than was known. */
  readonly downloadedFraction: number;
};

/** The transfers alone. */
export type SyncDataFlowStatus = {
  downloading: boolean;
  uploading: boolean;
  downloadError?: SyncError;
  uploadError?: SyncError;
};

/** What a snapshot holds. */
export type SyncStatusFields = {
  /**
   * `offline`: told to disconnect, nobody signed in, or the backend can't be reached. `connecting`: reaching it for the
   * first time since `connect()` or the last failure. `syncing`: changes or pages are on their way. `synced`: the last
   * round was complete and nothing is under way. `error`: the last round failed for another reason than the network.
   */
  readonly status: SyncStatusName;
  /** The last exchange with the backend succeeded, and syncing has not been told to stop. */
  readonly connected: boolean;
  /** An attempt to reach the backend is under way while not connected. */
  readonly connecting: boolean;
  /** An upload is in flight. */
  readonly uploading: boolean;
  /** A download is in flight. */
  readonly downloading: boolean;
  /** Local changes the backend has not acknowledged yet, parked ones not included. */
  readonly pendingChanges: number;
  /** Changes the backend refused for good; they are kept. See `Database.getParkedChanges`. */
  readonly parkedChanges: number;
  /** Everything has been downloaded once into this database file, now or in an earlier run; uploads may still fail. */
  readonly hasSynced: boolean;
  /** End of the last complete round. */
  readonly lastSyncedAt: Date | null;
  /** End of the last complete sweep for rows that were deleted on the backend; see `Database.reconcile`. */
  readonly lastReconciledAt: Date | null;
  /** Rows that the last download brought and that were refused: of another user, or not usable. `error` says more. */
  readonly refusedRows: number;
  /** When the next attempt is due after a failure. */
  readonly nextRetryAt: Date | null;
  /** Why the last round failed, or what was wrong with a round that was finished all the same; null again after the next good one. */
  readonly error: SyncError | null;
  /** Why the last upload failed; undefined again only after the next good one. */
  readonly uploadError: SyncError | undefined;
  /** Why the last download failed; undefined again only after the next good one. */
  readonly downloadError: SyncError | undefined;
  /** Of the download under way; null when there is none, and of one that takes no longer than a moment. */
  readonly downloadProgress: DownloadProgress | null;
  /**
   * What the schedule goes by: `active` (changes come and go, or the user does something), `idle` (in the foreground, but
   * nothing has changed for some minutes), `background`, `lowBattery`, `metered`, or `offline` (the device says it has no network).
   */
  readonly syncFrequency: SyncFrequency;
};

/** An immutable snapshot; the same object as long as nothing changed. */
export type SyncStatus = SyncStatusFields & {
  /** The transfers alone; everything in it is also a field of the snapshot. */
  readonly dataFlowStatus: SyncDataFlowStatus;
  /** The same as `dataFlowStatus`. */
  readonly dataFlow: SyncDataFlowStatus;
  /** Whether both say the same. */
  isEqual(other: SyncStatus): boolean;
  /** One line for a log. */
  getMessage(): string;
  /** The fields as JSON values: dates as ISO 8601, errors as `{code, message, retryable}`. */
  toJSON(): Record<string, unknown>;
};

function errorToJson(error: SyncError | null | undefined): Record<string, unknown> | null {
  return error === null || error === undefined
    ? null
    : { code: error.code, message: error.message, retryable: error.retryable };
}

/** What snapshots share; not copied by a spread, and left out of JSON. */
const methods = {
  get dataFlowStatus(): SyncDataFlowStatus {
    const { downloading, uploading, downloadError, uploadError } = this as unknown as SyncStatusFields;
    return {
      downloading,
      uploading,
      ...(downloadError === undefined ? {} : { downloadError }),
      ...(uploadError === undefined ? {} : { uploadError }),
    };
  },
  get dataFlow(): SyncDataFlowStatus {
    return this.dataFlowStatus;
  },
  isEqual(other: SyncStatus): boolean {
    return JSON.stringify(this) === JSON.stringify(other);
  },
  getMessage(): string {
    const s = this as unknown as SyncStatusFields;
    const parts = [
      `status: ${s.status}`,
      `connected: ${s.connected}`,
      `connecting: ${s.connecting}`,
      `lastSyncedAt: ${s.lastSyncedAt?.toISOString() ?? 'never'}`,
      `hasSynced: ${s.hasSynced}`,
      `downloading: ${s.downloading}`,
      `uploading: ${s.uploading}`,
      `pendingChanges: ${s.pendingChanges}`,
      `downloadError: ${s.downloadError?.message ?? 'none'}`,
      `uploadError: ${s.uploadError?.message ?? 'none'}`,
    ];
    return `SyncStatus<${parts.join(', ')}>`;
  },
  toJSON(): Record<string, unknown> {
    const s = this as unknown as SyncStatusFields;
    return {
      ...s,
      lastSyncedAt: s.lastSyncedAt?.toISOString() ?? null,
      lastReconciledAt: s.lastReconciledAt?.toISOString() ?? null,
      nextRetryAt: s.nextRetryAt?.toISOString() ?? null,
      error: errorToJson(s.error),
      uploadError: errorToJson(s.uploadError),
      downloadError: errorToJson(s.downloadError),
    };
  },
};

/** A frozen snapshot of these fields. */
export function createStatus(fields: SyncStatusFields): SyncStatus {
  return Object.freeze(Object.assign(Object.create(methods) as typeof methods, fields));
}

/** What there is to say while no database is open. */
export const offlineStatus: SyncStatus = createStatus({
  status: 'offline',
  connected: false,
  connecting: false,
  uploading: false,
  downloading: false,
  pendingChanges: 0,
  parkedChanges: 0,
  hasSynced: false,
  lastSyncedAt: null,
  lastReconciledAt: null,
  refusedRows: 0,
  nextRetryAt: null,
  error: null,
  uploadError: undefined,
  downloadError: undefined,
  downloadProgress: null,
  syncFrequency: 'active',
});

/** The last word about a database that has been closed: what is pending stays known, nothing is under way. */
export function closedStatus(last: SyncStatus): SyncStatus {
  const { pendingChanges, parkedChanges, hasSynced, lastSyncedAt, lastReconciledAt, refusedRows } = last;
  const kept = { pendingChanges, parkedChanges, hasSynced, lastSyncedAt, lastReconciledAt, refusedRows };
  return createStatus({ ...offlineStatus, ...kept });
}

function dateOf(epochMs: number | null | undefined): Date | null {
  return epochMs === null || epochMs === undefined ? null : new Date(epochMs);
}

function lastError(error: NativeStatus['uploadError']): SyncError | undefined {
  return error === null || error === undefined ? undefined : toSyncError(error);
}

function progressOf(progress: NativeStatus['downloadProgress']): DownloadProgress | null {
  if (progress === null || progress === undefined) {
    return null;
  }
  const { downloaded, total } = progress;
  return Object.freeze({
    downloadedOperations: downloaded,
    totalOperations: total,
    downloadedFraction: total === 0 ? 0 : downloaded / total,
  });
}

/** Reads the engine's JSON. */
export function parseStatus(json: string): SyncStatus {
  const native = JSON.parse(json) as NativeStatus;
  return createStatus({
    status: native.status,
    connected: native.connected,
    connecting: native.connecting,
    uploading: native.uploading,
    downloading: native.downloading,
    pendingChanges: native.pendingChanges,
    parkedChanges: native.parkedChanges,
    hasSynced: native.hasSynced,
    lastSyncedAt: dateOf(native.lastSyncedAt),
    lastReconciledAt: dateOf(native.lastReconciledAt),
    refusedRows: native.refusedRows ?? 0,
    nextRetryAt: dateOf(native.nextRetryAt),
    error: native.error === null ? null : toSyncError(native.error),
    uploadError: lastError(native.uploadError),
    downloadError: lastError(native.downloadError),
    downloadProgress: progressOf(native.downloadProgress),
    syncFrequency: native.syncFrequency ?? 'active',
  });
}
