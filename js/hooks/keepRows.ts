/** Keeps the objects of rows that have not changed, by the app's own measure. */
import type { RowComparator } from './types';

/** `next` with the objects of `previous` where key and comparison say so; `previous` itself if nothing has changed. */
export function keepRows<RowType>(
  previous: readonly RowType[],
  next: readonly RowType[],
  { keyBy, compareBy }: RowComparator<RowType>
): readonly RowType[] {
  const before = new Map(previous.map((row) => [keyBy(row), row]));
  const kept = next.map((row) => {
    const known = before.get(keyBy(row));
    return known !== undefined && (known === row || compareBy(known) === compareBy(row)) ? known : row;
  });
  const isSame = kept.length === previous.length && kept.every((row, index) => row === previous[index]);
  return isSame ? previous : kept;
}
