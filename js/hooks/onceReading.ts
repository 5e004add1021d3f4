/** A query that runs once for one component, and again when it is told to. */
import { createListeners } from '../listeners';
import { asError, loadingSnapshot, type QuerySnapshot, type Reading } from './reading';

/** Runs at the first subscription. Of several runs the one begun last counts. */
export function createOnceReading<RowType>(execute: () => Promise<RowType[]>): Reading<RowType> {
  const listeners = createListeners<[]>('a subscriber of a query');
  let snapshot: QuerySnapshot<RowType> = loadingSnapshot;
  let lastRun = 0;
  let running: Promise<void> | null = null;
  const show = (next: QuerySnapshot<RowType>): void => {
    snapshot = Object.freeze(next);
    listeners.emit();
  };
  const run = async (signal?: { readonly aborted: boolean }): Promise<void> => {
    lastRun += 1;
    const own = lastRun;
    const isWanted = (): boolean => own === lastRun;
    try {
      const data = await execute();
      if (isWanted()) {
        const isAborted = signal?.aborted === true && !snapshot.isLoading;
        show(isAborted ? { ...snapshot, isFetching: false } : { data, isLoading: false, isFetching: false, error: undefined });
      }
    } catch (thrown) {
      if (isWanted()) {
        show({ ...snapshot, isLoading: false, isFetching: false, error: asError(thrown) });
      }
    }
  };
  const begin = (): Promise<void> => {
    running ??= run();
    return running;
  };
  return {
    subscribe: (listener) => {
      const remove = listeners.add(listener);
      void begin();
      return remove;
    },
    getSnapshot: () => snapshot,
    refresh: (signal) => {
      show({ ...snapshot, isFetching: true });
      running = run(signal);
      return running;
    },
    ready: begin,
  };
}
