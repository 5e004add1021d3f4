/** The last rounds of syncing: how long each took and how many rows it moved. Kept while the app runs, for the chart. */
import { useStatus } from '@omnii/sync';
import { createContext, type ReactNode, useContext, useEffect, useRef, useState } from 'react';

export interface Round {
  id: number;
  endedAt: number;
  durationMs: number;
  /** Changes uploaded and rows downloaded, as far as the status tells. */
  rows: number;
  failed: boolean;
}

const KEPT = 24;
const RoundsContext = createContext<readonly Round[]>([]);

export function RoundsProvider({ children }: { children: ReactNode }) {
  const status = useStatus();
  const [rounds, setRounds] = useState<readonly Round[]>([]);
  const running = useRef<{ begunAt: number; pending: number; downloaded: number } | null>(null);
  const lastId = useRef(0);

  useEffect(() => {
    const isBusy = status.uploading || status.downloading;
    const now = Date.now();
    if (isBusy) {
      running.current ??= { begunAt: now, pending: status.pendingChanges, downloaded: 0 };
      running.current.downloaded = Math.max(running.current.downloaded, status.downloadProgress?.downloadedOperations ?? 0);
      return;
    }
    if (!running.current) return;
    const { begunAt, pending, downloaded } = running.current;
    running.current = null;
    const round: Round = {
      id: ++lastId.current,
      endedAt: now,
      durationMs: now - begunAt,
      rows: downloaded + Math.max(0, pending - status.pendingChanges),
      failed: status.error !== null,
    };
    setRounds((before) => [...before, round].slice(-KEPT));
  }, [status]);

  return <RoundsContext.Provider value={rounds}>{children}</RoundsContext.Provider>;
}

/** Oldest first. */
export const useRounds = (): readonly Round[] => useContext(RoundsContext);
