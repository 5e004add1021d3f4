/**
 * Rounds and status of one database of the fake: upload, then download, with the same order of states as the engine's
 * (rust/core/src/status.rs), but without protocol, timers and backoff. A round that failed is repeated when the backend can
 * be reached again, when credentials change, at `connect()` and at `triggerSync()`.
 */
import type { NativeError, NativeStatus } from '../types';
import type { Backend } from './backend';
import { isNativeFailure, nativeError, type NativeFailure } from './nativeError';
import * as outbox from './outbox';
import type { Store } from './store';
import { sqlName } from './tables';

type Asks = {
  /** Asks the app's connector; null: signed out. */
  readonly credentials: () => Promise<unknown>;
  /** Has the app upload; '' or why not. Only with `customUpload`. */
  readonly upload: () => Promise<string>;
  readonly changed: () => void;
};

/** What is remembered as long as the file is. */
export type Progress = { position: number; hasSynced: boolean; lastSyncedAt: number | null; lastReconciledAt: number | null };

export const newProgress = (): Progress => ({ position: 0, hasSynced: false, lastSyncedAt: null, lastReconciledAt: null });

const offlineCodes: readonly string[] = ['Network', 'Timeout', 'NoCredentials', 'Disconnected'];

export type Syncing = ReturnType<typeof createSyncing>;

export function createSyncing(
  store: Store,
  backend: Backend,
  progress: Progress,
  { userId, customUpload }: { userId: string; customUpload: boolean },
  asks: Asks
) {
  let wanted = false;
  let isOpen = true;
  let suspended = false;
  let connected = false;
  let activity: 'none' | 'connecting' | 'uploading' | 'downloading' = 'none';
  let error: NativeError | null = null;
  let uploadError: NativeError | null = null;
  let downloadError: NativeError | null = null;
  let signedIn = false;
  let frequency: NonNullable<NativeStatus['syncFrequency']> = 'active';
  /** Grows when what is under way is no longer wanted. */
  let era = 0;
  let last: Promise<unknown> = Promise.resolve();
  let queued = false;

  const status = (): NativeStatus => {
    const { pending, parked } = outbox.counts(store.committed());
    const connecting = activity !== 'none' && !connected;
    const moving = connected && (activity === 'uploading' || activity === 'downloading');
    const idle = error === null ? (connected ? 'synced' : 'offline') : offlineCodes.includes(error.code) ? 'offline' : 'error';
    return {
      status: moving ? 'syncing' : connecting ? 'connecting' : idle,
      connected,
      connecting,
      uploading: activity === 'uploading',
      downloading: activity === 'downloading',
      pendingChanges: pending,
      parkedChanges: parked,
      hasSynced: progress.hasSynced,
      lastSyncedAt: progress.lastSyncedAt,
      lastReconciledAt: progress.lastReconciledAt,
      refusedRows: 0,
      nextRetryAt: null,
      error,
      uploadError,
      downloadError,
      downloadProgress: null,
      syncFrequency: wanted ? frequency : 'offline',
    };
  };
  let told = JSON.stringify(status());
  let current = told;
  const look = (): void => {
    current = JSON.stringify(status());
  };
  const publish = (): void => {
    look();
    if (isOpen && current !== told) {
      told = current;
      asks.changed();
    }
  };

  const upload = async (): Promise<void> => {
    if (customUpload) {
      if (outbox.counts(store.committed()).pending > 0) {
        const failed = await asks.upload();
        if (failed !== '') {
          throw nativeError('UploadFailed', failed, true);
        }
      }
      return;
    }
    await store.apply((connection) => {
      const changes = outbox.pending(connection);
      for (const { id, table, rowId, op, data } of changes) {
        const change = { table, rowId, op, data, userId };
        const refusal = backend.refusals.find(({ matches }) => matches(change));
        if (refusal === undefined) {
          backend.uploads.push(change);
        } else {
          outbox.park(connection, [id], refusal.reason);
        }
      }
      outbox.complete(connection, changes.at(-1)?.id ?? -1);
    });
  };
  const download = (): Promise<void> =>
    store.apply((connection) => {
      const fresh = backend.deliveries.slice(progress.position);
      for (const { table, id, row } of fresh) {
        const declared = store.schema().tables.find(({ name, localOnly, insertOnly }) => name === table && localOnly !== true && insertOnly !== true);
        if (declared !== undefined && row !== null) {
          outbox.putRow(connection, sqlName(declared), row);
        } else if (declared !== undefined) {
          connection.run(`DELETE FROM "${sqlName(declared).replaceAll('"', '""')}" WHERE id = ?`, [id]);
        }
      }
      progress.position += fresh.length;
    });

  const round = async (mine: number, part: 'all' | 'upload'): Promise<void> => {
    const goOn = (): void => {
      if (!isOpen || era !== mine) {
        throw nativeError('Disconnected', 'syncing was stopped', true);
      }
    };
    let stage: 'upload' | 'download' = 'upload';
    try {
      activity = 'connecting';
      publish();
      await Promise.resolve();
      goOn();
      if (!signedIn) {
        if ((await asks.credentials()) === null) {
          throw nativeError('NoCredentials', 'nobody is signed in', true);
        }
        goOn();
        signedIn = true;
      }
      if (!backend.online) {
        throw nativeError('Network', 'the backend can not be reached', true);
      }
      connected = true;
      activity = 'uploading';
      publish();
      await upload();
      goOn();
      uploadError = null;
      if (part === 'all') {
        stage = 'download';
        activity = 'downloading';
        publish();
        await download();
        goOn();
        downloadError = null;
        progress.hasSynced = true;
        progress.lastSyncedAt = Date.now();
      }
      error = null;
    } catch (thrown) {
      const { code, message, retryable } = isNativeFailure(thrown) ? thrown : nativeError('Internal', String(thrown));
      if (code !== 'Disconnected') {
        error = { code, message, retryable };
        uploadError = stage === 'upload' ? error : uploadError;
        downloadError = stage === 'download' || ['Network', 'NoCredentials'].includes(code) ? error : downloadError;
        connected = stage === 'upload' && code === 'UploadFailed';
      }
      throw thrown;
    } finally {
      if (era === mine) {
        activity = 'none';
        connected &&= wanted;
      }
      publish();
    }
  };
  /** A round that begins when the one before has ended. */
  const run = (part: 'all' | 'upload' = 'all'): Promise<void> => {
    const mine = era;
    const next = last.then(() => {
      if (era !== mine) {
        throw nativeError('Disconnected', 'syncing was stopped', true);
      }
      return round(mine, part);
    });
    last = next.catch(() => undefined);
    return next;
  };
  /** One more round if syncing is wanted. */
  const kick = (): void => {
    if (wanted && isOpen && !suspended && !queued) {
      queued = true;
      void last.then(() => {
        queued = false;
        if (wanted && isOpen && !suspended) {
          run().catch(() => undefined);
        }
      });
    }
  };
  const stop = (): void => {
    era += 1;
    activity = 'none';
    connected = false;
  };
  backend.listeners.add(kick);

  return {
    status: (): string => current,
    /** A commit has changed the counts. */
    look: publish,
    kick,
    connect: (): void => {
      wanted = true;
      error = null;
      if (activity === 'none' && !connected) {
        activity = 'connecting';
      }
      publish();
      kick();
    },
    disconnect: (): void => {
      wanted = false;
      error = null;
      uploadError = null;
      downloadError = null;
      stop();
      publish();
    },
    triggerSync: (): Promise<void> => run(),
    uploadData: (): Promise<void> => run('upload'),
    reconciled: (): void => {
      progress.lastReconciledAt = Date.now();
      publish();
    },
    credentialsChanged: (): void => {
      signedIn = false;
      kick();
    },
    notify: (event: string): void => {
      const frequencies: Readonly<Record<string, typeof frequency>> = {
        foreground: 'active', active: 'active', background: 'background', metered: 'metered', unmetered: 'active',
        batteryLow: 'lowBattery', batteryOk: 'active', networkLost: 'offline', networkRegained: 'active',
      };
      frequency = frequencies[event] ?? frequency;
      publish();
      if (event === 'foreground' || event === 'networkRegained') {
        kick();
      }
    },
    suspend: (next: boolean): void => {
      suspended = next;
      if (next) {
        stop();
        error = null;
      }
      publish();
      kick();
    },
    close: (): void => {
      stop();
      isOpen = false;
      backend.listeners.delete(kick);
    },
  };
}

export type { NativeFailure };
