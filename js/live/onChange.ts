/** Telling which tables have changed: at once for the first commit, then gathered for `throttleMs`. */
import { onAbort } from '../abort';
import type { Calls } from '../calls';
import { isRecord } from '../describe';
import { reportListenerError } from '../listeners';
import type { TableEvents } from '../tableEvents';
import { createStream } from './stream';
import type { LiveQueries, SQLOnChangeOptions, WatchOnChangeEvent, WatchOnChangeHandler } from './types';
import { checkChangeOptions, checkHandler, type CheckedChangeOptions } from './watchOptions';

type OnChange = Pick<LiveQueries, 'onChange' | 'onChangeWithCallback' | 'onChangeWithAsyncGenerator'>;

/** `onClose` registers what is to be called when the database is closed. */
export function createOnChange(calls: Calls, tables: TableEvents, onClose: (end: () => void) => () => void): OnChange {
  const start = (
    { signal, tables: wanted, throttleMs, triggerImmediate }: CheckedChangeOptions,
    tell: (event: WatchOnChangeEvent) => void,
    ended: () => void
  ): (() => void) => {
    // SQLite's names of tables do not mind case.
    const names = wanted === null ? null : new Set(wanted.map((name) => name.toLowerCase()));
    const gathered = new Set<string>();
    let timer: ReturnType<typeof setTimeout> | undefined;
    let over = false;
    const deliver = (): void => {
      const changedTables = [...gathered];
      gathered.clear();
      if (throttleMs > 0) {
        timer = setTimeout(() => {
          timer = undefined;
          if (gathered.size > 0) {
            deliver();
          }
        }, throttleMs);
      }
      tell({ changedTables });
    };
    const undo: (() => void)[] = [];
    const stop = (): void => {
      if (!over) {
        over = true;
        clearTimeout(timer);
        for (const step of undo) {
          step();
        }
      }
    };
    const end = (): void => {
      stop();
      ended();
    };
    if (!calls.isOpen() || signal?.aborted === true) {
      over = true;
      ended();
      return () => undefined;
    }
    undo.push(
      tables.add((changed) => {
        for (const name of changed) {
          if (names === null || names.has(name.toLowerCase())) {
            gathered.add(name);
          }
        }
        if (gathered.size > 0 && timer === undefined) {
          deliver();
        }
      }),
      onClose(end),
      onAbort(signal, end)
    );
    if (triggerImmediate) {
      tell({ changedTables: [] });
    }
    return stop;
  };

  const onChangeWithCallback = (handler: WatchOnChangeHandler, given?: SQLOnChangeOptions): (() => void) => {
    checkHandler('onChange', handler, 'onChange');
    const failed = (thrown: unknown): void => {
      if (handler.onError === undefined) {
        reportListenerError('onChange', thrown);
      } else {
        handler.onError(thrown instanceof Error ? thrown : new Error(String(thrown)));
      }
    };
    return start(
      checkChangeOptions('onChange', given),
      (event) => {
        try {
          const answer: unknown = handler.onChange(event);
          if (answer instanceof Promise) {
            answer.catch(failed);
          }
        } catch (thrown) {
          failed(thrown);
        }
      },
      () => undefined
    );
  };
  const onChangeWithAsyncGenerator = (given?: SQLOnChangeOptions): AsyncIterableIterator<WatchOnChangeEvent, undefined> => {
    const options = checkChangeOptions('onChange', given);
    return createStream(
      ({ push, end }) => start(options, push, end),
      (waiting, next) => ({ changedTables: [...new Set([...waiting.changedTables, ...next.changedTables])] })
    );
  };
  return {
    onChangeWithCallback,
    onChangeWithAsyncGenerator,
    onChange: ((handlerOrOptions?: WatchOnChangeHandler | SQLOnChangeOptions, options?: SQLOnChangeOptions) =>
      isRecord(handlerOrOptions) && 'onChange' in handlerOrOptions
        ? onChangeWithCallback(handlerOrOptions, options)
        : onChangeWithAsyncGenerator(handlerOrOptions)) as LiveQueries['onChange'],
  };
}
