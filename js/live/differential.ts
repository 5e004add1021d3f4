/**
 * What has changed between two results. Rows that are the same object are unchanged without being looked at; only the
 * others are keyed and compared, so a change of one row in a long list costs as much as in a short one, but for one pass.
 */
import type { DifferentialWatchedQueryComparator, WatchedQueryDifferential } from './types';

/** null: nothing has changed, the order included. `all` holds the object of `previous` for every unchanged row. */
export function differentiate<T>(
  previous: readonly T[],
  next: readonly T[],
  { keyBy, compareBy }: DifferentialWatchedQueryComparator<T>
): WatchedQueryDifferential<T> | null {
  const before = new Set(previous);
  const after = new Set(next);
  /** Rows that are gone or were replaced, by key. */
  const left = new Map<string, T>();
  const removed: T[] = [];
  const hasNew = next.some((item) => !before.has(item));
  for (const item of previous) {
    if (!after.has(item)) {
      const key = hasNew ? keyBy(item) : '';
      if (!hasNew || left.has(key)) {
        removed.push(item);
      } else {
        left.set(key, item);
      }
    }
  }
  const all: T[] = [];
  const added: T[] = [];
  const updated: { current: T; previous: T }[] = [];
  const unchanged: T[] = [];
  for (const item of next) {
    if (before.has(item)) {
      unchanged.push(item);
      all.push(item);
      continue;
    }
    const key = keyBy(item);
    const old = left.get(key);
    if (old === undefined) {
      added.push(item);
      all.push(item);
      continue;
    }
    left.delete(key);
    if (compareBy(old) === compareBy(item)) {
      unchanged.push(old);
      all.push(old);
    } else {
      updated.push({ current: item, previous: old });
      all.push(item);
    }
  }
  removed.push(...left.values());
  const same = all.length === previous.length && all.every((item, index) => item === previous[index]);
  return same ? null : { added, all, removed, updated, unchanged };
}
