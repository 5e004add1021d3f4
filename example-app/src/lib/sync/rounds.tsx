/**
 * The last rounds of syncing: how long each took and how many rows it moved. Kept while the database is open, for the chart.
 * Taken from the database's own events: React may show only the last of several statuses, and a round can be over by then.
 */
import { type SyncStatus, useDatabase } from '@omnii/sync';
import { createContext, type ReactNode, useContext, useEffect, useState } from 'react';

export interface Round {
  id: number;
  endedAt: number;
  durationMs: number;
  /** Changes uploaded and rows downloaded, as far as the events tell. */
  rows: number;
  failed: boolean;
}

type Transfers = Pick<SyncStatus, 'uploading' | 'downloading' | 'pendingChanges' | 'downloadProgress' | 'error'>;

export interface RoundRecorder {
  /** Answers the round that has ended with this status, or null. A round goes from the first transfer to the last. */
  status: (status: Transfers, now: number) => Round | null;
  /** So many rows changed in one commit. While a download runs they are taken for its rows. */
  changed: (rows: number) => void;
}

export function createRoundRecorder(): RoundRecorder {
  let lastId = 0;
  let isDownloading = false;
  let running: { begunAt: number; pending: number; uploaded: number; progress: number; changed: number } | null = null;
  return {
    status: ({ uploading, downloading, pendingChanges, downloadProgress, error }, now) => {
      isDownloading = downloading;
      if (uploading || downloading) running ??= { begunAt: now, pending: pendingChanges, uploaded: 0, progress: 0, changed: 0 };
      if (!running) return null;
      // Step by step: what is written meanwhile raises the count again.
      running.uploaded += Math.max(0, running.pending - pendingChanges);
      running.pending = pendingChanges;
      running.progress = Math.max(running.progress, downloadProgress?.downloadedOperations ?? 0);
      if (uploading || downloading) return null;
      const { begunAt, uploaded, progress, changed } = running;
      running = null;
      return { id: ++lastId, endedAt: now, durationMs: now - begunAt, rows: uploaded + Math.max(progress, changed), failed: error !== null };
    },
    changed: (rows) => {
      if (running && isDownloading) running.changed += rows;
    },
  };
}

const KEPT = 24;
const NONE: readonly Round[] = [];
const RoundsContext = createContext<readonly Round[]>(NONE);

export function RoundsProvider({ children }: { children: ReactNode }) {
  const db = useDatabase();
  const [rounds, setRounds] = useState(NONE);

  useEffect(() => {
    if (!db) return undefined;
    const recorder = createRoundRecorder();
    recorder.status(db.currentStatus, Date.now());
    const stop = db.registerListener({
      statusChanged: (status) => {
        const round = recorder.status(status, Date.now());
        if (round) setRounds((before) => [...before, round].slice(-KEPT));
      },
      tablesChanged: (_tables, rowIds) => {
        recorder.changed(Object.values(rowIds).reduce((sum, ids) => sum + ids.length, 0));
      },
    });
    return () => {
      stop();
      // Another user's rounds are nobody's business.
      setRounds(NONE);
    };
  }, [db]);

  return <RoundsContext.Provider value={rounds}>{children}</RoundsContext.Provider>;
}

/** Oldest first. */
export const useRounds = (): readonly Round[] => useContext(RoundsContext);
