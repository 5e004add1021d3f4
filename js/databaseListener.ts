/** What an app hears of an open database. */
import { describe, isRecord } from './describe';
import { SyncError } from './errors';
import type { SyncStatus } from './status';

/** The ids of all rows that changed, by table. A table is missing if they are too many or not known. */
export type ChangedRowIds = Readonly<Record<string, readonly string[]>>;

/** What `registerListener` takes. Called on the JS thread, after the fact; a listener that throws is reported and the rest go on. */
export type DatabaseListener = {
  /** The snapshot was replaced. The last call, when the database is closed, says `offline`. */
  statusChanged?(status: SyncStatus): void;
  /** One commit, local or from the backend, changed these tables; never empty, one call per commit. */
  tablesChanged?(tables: readonly string[], rowIds: ChangedRowIds): void;
  /** `close()` or `signOut()` was called. */
  closing?(): void;
  /** The file is closed. */
  closed?(): void;
};

const callbacks = ['statusChanged', 'tablesChanged', 'closing', 'closed'];

/** Throws `BadArgument` unless `listener` is an object whose callbacks are functions. */
export function checkListener(listener: unknown): DatabaseListener {
  if (!isRecord(listener)) {
    throw new SyncError('BadArgument', `registerListener takes { ${callbacks.join('?, ')}? }; got ${describe(listener)}`);
  }
  for (const name of callbacks) {
    const given = listener[name];
    if (given !== undefined && typeof given !== 'function') {
      throw new SyncError('BadArgument', `registerListener: ${name} must be a function; got ${describe(given)}`);
    }
  }
  return listener;
}
