/** Callbacks as an async iterator. What arrives while the consumer is busy is merged: it never gets more than one behind. */

import { asyncIterator } from '../asyncIterator';

/** Where a stream gets its values. `fail` and `end` are final. */
export type Feed<T> = { push: (value: T) => void; fail: (error: Error) => void; end: () => void };

type Final = { readonly error: Error | null };

/**
 * `start` is called when the iteration begins, and what it answers when it ends, however that is. `merge` makes one value of
 * the one that waits and the next.
 */
export function createStream<T>(start: (feed: Feed<T>) => () => void, merge: (waiting: T, next: T) => T): AsyncIterableIterator<T, undefined> {
  let stop: (() => void) | null = null;
  let begun = false;
  let waiting: { value: T } | null = null;
  let final: Final | null = null;
  let consumers: { resolve: (result: IteratorResult<T, undefined>) => void; reject: (error: Error) => void }[] = [];

  const finish = (outcome: Final): void => {
    if (final !== null) {
      return;
    }
    final = outcome;
    stop?.();
    const left = consumers;
    consumers = [];
    for (const [index, { resolve, reject }] of left.entries()) {
      // An error is told once; after it the iteration is over.
      if (index === 0 && outcome.error !== null) {
        reject(outcome.error);
        final = { error: null };
      } else {
        resolve({ done: true, value: undefined });
      }
    }
  };
  const begin = (): void => {
    if (!begun) {
      begun = true;
      const ending = start({
        push: (value) => {
          if (final !== null) {
            return;
          }
          const consumer = consumers.shift();
          if (consumer !== undefined) {
            consumer.resolve({ done: false, value });
          } else {
            waiting = { value: waiting === null ? value : merge(waiting.value, value) };
          }
        },
        fail: (error) => {
          finish({ error });
        },
        end: () => {
          finish({ error: null });
        },
      });
      stop = ending;
      // It may have ended while it began.
      if (isFinal()) {
        ending();
      }
    }
  };
  const isFinal = (): boolean => final !== null;

  return asyncIterator<T>({
    next: () => {
      begin();
      if (waiting !== null) {
        const { value } = waiting;
        waiting = null;
        return Promise.resolve({ done: false, value });
      }
      if (final !== null) {
        const { error } = final;
        final = { error: null };
        return error === null ? Promise.resolve({ done: true, value: undefined }) : Promise.reject(error);
      }
      return new Promise((resolve, reject) => {
        consumers.push({ resolve, reject });
      });
    },
    return: () => {
      begun = true;
      waiting = null;
      finish({ error: null });
      return Promise.resolve({ done: true, value: undefined });
    },
  });
}
