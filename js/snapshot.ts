/**
 * The status snapshot of one open database: read from the engine, replaced as a whole, told to listeners. Guarantees that
 * it never goes back to an older state and keeps its identity while nothing changes.
 */
import { createListeners } from './listeners';
import type { Spec } from './NativeOmniiSync';
import { closedStatus, parseStatus, type SyncStatus } from './status';

export type Snapshot = {
  current: () => SyncStatus;
  /**
   * A local write may have changed it. That is looked up when somebody asks; the listeners hear of it with the engine's
   * event, so that many writes in a row cost them one call.
   */
  expire: () => void;
  /**
   * Looks what is there and tells the listeners. Events say when to look, `getStatus` says what there is: read this way the snapshot never goes
   * back to an event that was still on its way when a call had already seen its effect.
   */
  refresh: () => void;
  add: (listener: (status: SyncStatus) => void) => () => void;
  /** Replaces the snapshot by the last word about a closed database, tells that, and forgets the listeners. */
  close: () => void;
};

/** `changed` is called after the listeners. */
export function createSnapshot(native: Pick<Spec, 'getStatus'>, databaseId: number, changed: () => void): Snapshot {
  const listeners = createListeners<[status: SyncStatus]>('statusChanged');
  let json = native.getStatus(databaseId);
  let status = parseStatus(json);
  let told = status;
  let expired = false;
  let closed = false;
  const look = (): void => {
    expired = false;
    const next = closed ? json : native.getStatus(databaseId);
    if (next !== json) {
      json = next;
      status = parseStatus(next);
    }
  };
  const tell = (): void => {
    if (told !== status) {
      told = status;
      listeners.emit(status);
      changed();
    }
  };
  return {
    current: () => {
      if (expired) {
        look();
      }
      return status;
    },
    expire: () => {
      expired = !closed;
    },
    refresh: () => {
      look();
      tell();
    },
    add: listeners.add,
    close: () => {
      look();
      closed = true;
      status = closedStatus(status);
      tell();
      listeners.clear();
    },
  };
}
