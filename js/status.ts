/** What the app is told about syncing: one immutable snapshot, replaced as a whole. */
import { type SyncError, toSyncError } from './errors';
import type { NativeStatus, SyncStatusName } from './types';

/** An immutable snapshot; the same object as long as nothing changed. */
export type SyncStatus = {
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
};

/** What there is to say while no database is open. */
export const offlineStatus: SyncStatus = Object.freeze({
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
});

/** The last word about a database that has been closed: what is pending stays known, nothing is under way. */
export function closedStatus(last: SyncStatus): SyncStatus {
  const { pendingChanges, parkedChanges, hasSynced, lastSyncedAt, lastReconciledAt, refusedRows } = last;
  const kept = { pendingChanges, parkedChanges, hasSynced, lastSyncedAt, lastReconciledAt, refusedRows };
  return Object.freeze({ ...offlineStatus, ...kept });
}

function dateOf(epochMs: number | null | undefined): Date | null {
  return epochMs === null || epochMs === undefined ? null : new Date(epochMs);
}

/** Reads the engine's JSON. */
export function parseStatus(json: string): SyncStatus {
  const native = JSON.parse(json) as NativeStatus;
  return Object.freeze({
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
  });
}
