/**
 * Iterators for `for await`, made by hand: not every Hermes has async generators or `Symbol.asyncIterator`. Code that Babel has
 * compiled looks for '@@asyncIterator' where the symbol is missing.
 */

/** The iteration itself. */
export type Steps<T, Return> = {
  next: () => Promise<IteratorResult<T, Return>>;
  /** The consumer has had enough. */
  return: () => Promise<IteratorResult<T, Return>>;
};

export function asyncIterator<T, Return = undefined>({ next, return: end }: Steps<T, Return>): AsyncIterableIterator<T, Return> {
  const iterator = {
    next: () => next(),
    return: () => end(),
  } as AsyncIterableIterator<T, Return>;
  const symbol = (Symbol as { readonly asyncIterator?: symbol }).asyncIterator ?? '@@asyncIterator';
  Object.defineProperty(iterator, symbol, { value: () => iterator });
  return iterator;
}
