/** When are two results, or two rows, the same: the comparators that apps hand to live queries, in PowerSync's shape. */
import type { DifferentialWatchedQueryComparator, WatchedQueryComparator } from './types';

/** Finds two results the same if they have as many items and `compareBy` answers the same text for each pair. */
export class ArrayComparator<ItemType> implements WatchedQueryComparator<ItemType[]> {
  private readonly compareBy: (item: ItemType) => string;

  constructor({ compareBy }: { compareBy: (item: ItemType) => string }) {
    this.compareBy = compareBy;
  }

  checkEquality(current: ItemType[], previous: ItemType[]): boolean {
    const { compareBy } = this;
    return (
      current.length === previous.length &&
      current.every((item, index) => {
        const before = previous[index] as ItemType;
        return item === before || compareBy(item) === compareBy(before);
      })
    );
  }
}

/** Every result counts as a new one. */
export const FalsyComparator: WatchedQueryComparator<unknown> = { checkEquality: () => false };

/** BigInt and blobs have no JSON of their own. */
function plain(_key: string, value: unknown): unknown {
  if (typeof value === 'bigint') {
    return `${value}n`;
  }
  return value instanceof ArrayBuffer ? Array.from(new Uint8Array(value)) : value;
}

const textOf = (item: unknown): string => JSON.stringify(item, plain);

/** Rows are the same if their `id` is, or their whole content where there is none; changed if their content is. */
export const defaultRowComparator: DifferentialWatchedQueryComparator<unknown> = {
  keyBy: (item) => {
    const id = typeof item === 'object' && item !== null ? (item as { id?: unknown }).id : undefined;
    return typeof id === 'string' || typeof id === 'number' ? String(id) : textOf(item);
  },
  compareBy: textOf,
};
