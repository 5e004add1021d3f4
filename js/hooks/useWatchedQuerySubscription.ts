import { useMemo, useSyncExternalStore } from 'react';
import type { WatchedQueryListener, WatchedQueryState } from '../live/types';

/** A watched query as far as these hooks use it. The app owns it, and closes it. */
export type WatchedQueryLike<Data> = {
  readonly state: WatchedQueryState<Data>;
  readonly closed: boolean;
  registerListener(listener: WatchedQueryListener<Data>): () => void;
};

/** `state` of a watched query of the app's own (`db.query(…).watch()`), at each change. */
export function useWatchedQuerySubscription<Data>(query: WatchedQueryLike<Data>): WatchedQueryState<Data> {
  const store = useMemo(
    () => ({
      subscribe: (changed: () => void) => query.registerListener({ onStateChange: changed }),
      get: () => query.state,
    }),
    [query]
  );
  return useSyncExternalStore(store.subscribe, store.get, store.get);
}
