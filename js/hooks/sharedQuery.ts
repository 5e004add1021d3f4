/**
 * One watched query for all components that show the same. Runs while somebody subscribes to it or holds it, and ends a
 * moment after the last one has left: React takes subscriptions away and adds them again in one go (StrictMode, Fast
 * Refresh, a list that moves), which must not begin the query anew.
 */
import { createListeners } from '../listeners';
import type { WatchedQuery, WatchedQueryState } from '../live/types';
import { asError, failedSnapshot, loadingSnapshot, type QuerySnapshot } from './reading';

export type SharedQuery<RowType> = {
  getSnapshot: () => QuerySnapshot<RowType>;
  subscribe: (listener: () => void) => () => void;
  refresh: (signal?: { readonly aborted: boolean }) => Promise<void>;
  ready: () => Promise<void>;
};

/** How long a result waits for the component that suspended for it; a failure shorter, so that a retry runs the query again. */
const holdMs = 5_000;
const holdFailedMs = 500;

function snapshotOf<RowType>({ data, isLoading, isFetching, error }: WatchedQueryState<readonly RowType[]>): QuerySnapshot<RowType> {
  return Object.freeze({ data, isLoading, isFetching, error: error ?? undefined });
}

/** `open` starts the watch; `ended` is called when nobody wants it any more. */
export function createSharedQuery<RowType>(
  open: () => WatchedQuery<readonly RowType[]>,
  ended: () => void
): SharedQuery<RowType> {
  const listeners = createListeners<[]>('a subscriber of a query');
  /** Told when `isFetching` has ended. */
  let waiting: (() => void)[] = [];
  let snapshot: QuerySnapshot<RowType> = loadingSnapshot;
  let subscribers = 0;
  let hold: ReturnType<typeof setTimeout> | 'until loaded' | null = null;
  let stop: (() => void) | null = null;

  const settle = (): void => {
    const told = waiting;
    waiting = [];
    for (const resolve of told) {
      resolve();
    }
  };
  const show = (next: QuerySnapshot<RowType>): void => {
    const before = snapshot;
    const isSame =
      next.data === before.data &&
      next.isLoading === before.isLoading &&
      next.isFetching === before.isFetching &&
      next.error === before.error;
    if (!isSame) {
      snapshot = next;
    }
    if (!next.isLoading && !next.isFetching) {
      settle();
    }
    if (hold === 'until loaded' && !next.isLoading) {
      hold = setTimeout(release, next.error === undefined ? holdMs : holdFailedMs);
    }
    if (!isSame) {
      listeners.emit();
    }
  };
  /** Begins the watch if it is not running: not yet, or not any more because the database was closed. */
  const start = (): void => {
    if (stop !== null) {
      return;
    }
    let watched: WatchedQuery<readonly RowType[]>;
    try {
      watched = open();
    } catch (thrown) {
      show(failedSnapshot(asError(thrown)));
      return;
    }
    // What was shown before stays until there is something new.
    const follow = (state: WatchedQueryState<readonly RowType[]>): void => {
      show(state.isLoading ? Object.freeze({ ...snapshot, isFetching: true }) : snapshotOf(state));
    };
    let isOver = false;
    const over = (): void => {
      isOver = true;
      remove();
    };
    const remove = watched.registerListener({
      onStateChange: (state) => {
        if (!isOver) {
          follow(state);
        }
      },
      closed: () => {
        if (!isOver) {
          over();
          stop = null;
          show(Object.freeze({ ...snapshot, isLoading: false, isFetching: false }));
        }
      },
    });
    stop = () => {
      over();
      stop = null;
      void watched.close();
    };
    follow(watched.state);
  };
  const endIfUnused = (): void => {
    if (subscribers === 0 && hold === null) {
      stop?.();
      settle();
      ended();
    }
  };
  function release(): void {
    if (typeof hold !== 'string' && hold !== null) {
      clearTimeout(hold);
    }
    hold = null;
    endIfUnused();
  }

  return {
    getSnapshot: () => snapshot,
    subscribe: (listener) => {
      subscribers += 1;
      const removeListener = listeners.add(listener);
      start();
      if (hold !== null && hold !== 'until loaded') {
        release();
      }
      let isSubscribed = true;
      return () => {
        if (isSubscribed) {
          isSubscribed = false;
          removeListener();
          subscribers -= 1;
          void Promise.resolve().then(endIfUnused);
        }
      };
    },
    refresh: async (signal) => {
      if (subscribers === 0 || signal?.aborted === true) {
        return;
      }
      stop?.();
      const done = new Promise<void>((resolve) => waiting.push(resolve));
      show(Object.freeze({ ...snapshot, isFetching: true }));
      start();
      await done;
    },
    ready: async () => {
      hold ??= 'until loaded';
      start();
      if (snapshot.isLoading) {
        await new Promise<void>((resolve) => waiting.push(resolve));
      } else {
        show(snapshot);
      }
    },
  };
}
