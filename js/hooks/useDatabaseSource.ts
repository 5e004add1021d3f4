/** Where a hook finds its database, and what there is to say while there is none. */
import { useContext, useSyncExternalStore } from 'react';
import type { Database } from '../database';
import { DatabaseContext } from '../databaseContext';
import { SyncError } from '../errors';
import { SyncContext } from '../provider';

export type DatabaseSource = {
  readonly database: Database | null;
  /** Why there will be none: no provider above, opening failed, or the platform has none. */
  readonly failure: SyncError | null;
  /** Resolves when it is worth looking again. */
  readonly changed: () => Promise<void>;
};

const noProvider = new SyncError(
  'NotOpen',
  'there is no database: render the component below a SyncProvider, or below a PowerSyncContext.Provider with a database'
);
const never = (): (() => void) => () => undefined;
const nothing = (): null => null;

export function useDatabaseSource(): DatabaseSource {
  const database = useContext(DatabaseContext);
  const provider = useContext(SyncContext);
  const getFailure = provider?.getFailure ?? nothing;
  const failure = useSyncExternalStore(provider?.subscribe ?? never, getFailure, getFailure);
  return {
    database: database ?? null,
    failure: database ? null : database === undefined ? noProvider : failure,
    changed: provider?.changed ?? (() => Promise.reject(noProvider)),
  };
}
