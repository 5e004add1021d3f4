/** What the parts of an open database share: who to call, whether that is still possible, and what failures become. */
import { SyncError, toSyncError } from './errors';
import type { CallKind, Gate } from './gate';
import type { Spec } from './NativeOmniiSync';
import type { Readers } from './readers';
import type { Snapshot } from './snapshot';

export type Calls = {
  readonly native: Spec;
  readonly databaseId: number;
  readonly gate: Gate;
  readonly readers: Readers;
  readonly snapshot: Pick<Snapshot, 'expire' | 'refresh'>;
  readonly isOpen: () => boolean;
  readonly closedError: () => SyncError;
  /** Makes a `SyncError` of what a native call rejected with. */
  readonly toError: (thrown: unknown) => SyncError;
  /** Runs `work` if the database is open; every rejection becomes a `SyncError`. */
  readonly whileOpen: <T>(work: () => Promise<T>) => Promise<T>;
  /** The same for what needs the writer: it waits for transactions of this database. */
  readonly withWriter: <T>(kind: CallKind, work: () => Promise<T>) => Promise<T>;
  /** As `whileOpen`, and what `work` did to the status is in `currentStatus` when the caller goes on. */
  readonly withStatus: <T>(work: () => Promise<T>) => Promise<T>;
  /** `withWriter` and `withStatus`. */
  readonly writing: <T>(kind: CallKind, work: () => Promise<T>) => Promise<T>;
};

export function createCalls(given: Pick<Calls, 'native' | 'databaseId' | 'gate' | 'readers' | 'snapshot' | 'isOpen'>): Calls {
  const { gate, snapshot, isOpen } = given;
  const closedError = (): SyncError =>
    new SyncError('Closed', 'the database is closed; open it again with openDatabase()');
  const toError = (thrown: unknown): SyncError => {
    const error = toSyncError(thrown);
    return !isOpen() && error.code === 'NotOpen' ? closedError() : error;
  };
  const whileOpen = async <T>(work: () => Promise<T>): Promise<T> => {
    if (!isOpen()) {
      throw closedError();
    }
    try {
      return await work();
    } catch (thrown) {
      throw toError(thrown);
    }
  };
  const withWriter = <T>(kind: CallKind, work: () => Promise<T>): Promise<T> => whileOpen(() => gate.enter(kind, work));
  const refreshing = async <T>(work: () => Promise<T>): Promise<T> => {
    try {
      return await work();
    } finally {
      snapshot.refresh();
    }
  };
  return {
    ...given,
    closedError,
    toError,
    whileOpen,
    withWriter,
    withStatus: (work) => whileOpen(() => refreshing(work)),
    writing: (kind, work) => withWriter(kind, () => refreshing(work)),
  };
}
