import type { WatchedQueryState } from '../live/types';
import { useWatchedQuerySubscription, type WatchedQueryLike } from './useWatchedQuerySubscription';

const pending = new WeakMap<object, Promise<void>>();

/** Resolves when there is a result or an error, or when neither will come because the query was closed. */
function loaded(query: WatchedQueryLike<unknown>): Promise<void> {
  let promise = pending.get(query);
  if (promise === undefined) {
    promise = new Promise((resolve) => {
      const done = (): void => {
        pending.delete(query);
        remove();
        resolve();
      };
      const remove = query.registerListener({
        onStateChange: ({ isLoading }) => {
          if (!isLoading) {
            done();
          }
        },
        closed: done,
      });
    });
    pending.set(query, promise);
  }
  return promise;
}

/**
 * As `useWatchedQuerySubscription`, for a component below a `Suspense` boundary: suspends until there is a result, and throws
 * failures to the nearest error boundary. A query that was closed before its first result shows its state as it is.
 */
export function useWatchedQuerySuspenseSubscription<Data>(query: WatchedQueryLike<Data>): WatchedQueryState<Data> {
  const state = useWatchedQuerySubscription(query);
  if (state.error !== null) {
    throw state.error;
  }
  if (state.isLoading && !query.closed) {
    // eslint-disable-next-line @typescript-eslint/only-throw-error -- how a component suspends
    throw loaded(query);
  }
  return state;
}
