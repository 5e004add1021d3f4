/**
 * Which tables each commit has changed. The engine is asked to tell only while somebody listens, and the ids of the rows are
 * parsed only for listeners that look at them.
 */
import type { ChangedRowIds } from './databaseListener';
import { createListeners } from './listeners';
import type { NativeTablesEvent, Spec } from './NativeOmniiSync';

export type TableEvents = {
  /** `rowIds` parses when it is called, once for all listeners. */
  add: (listener: (tables: readonly string[], rowIds: () => ChangedRowIds) => void) => () => void;
  emit: (event: NativeTablesEvent) => void;
  clear: () => void;
};

export function createTableEvents(native: Pick<Spec, 'setTableEvents'>, databaseId: number): TableEvents {
  const listeners = createListeners<[tables: readonly string[], rowIds: () => ChangedRowIds]>('tablesChanged');
  let count = 0;
  return {
    add: (listener) => {
      const remove = listeners.add(listener);
      count += 1;
      if (count === 1) {
        native.setTableEvents(databaseId, true);
      }
      let there = true;
      return () => {
        remove();
        if (there) {
          there = false;
          count -= 1;
          if (count === 0) {
            native.setTableEvents(databaseId, false);
          }
        }
      };
    },
    emit: ({ tables, rowIds }) => {
      let parsed: ChangedRowIds | null = null;
      listeners.emit(tables, () => (parsed ??= rowIds === '' ? {} : (JSON.parse(rowIds) as ChangedRowIds)));
    },
    clear: () => {
      // Whoever removes a listener later must not speak to an engine that is gone.
      count = Number.POSITIVE_INFINITY;
      listeners.clear();
    },
  };
}
