/** What the unit tests say about errors and about calls, in few words. */
import assert from 'node:assert/strict';
import { SyncError, type SyncErrorCode } from '../../errors';

/** `thrown` is a SyncError of that code whose message holds all of `words`. */
export function isSyncError(thrown: unknown, code: SyncErrorCode, ...words: string[]): true {
  assert.ok(thrown instanceof SyncError, `not a SyncError: ${String(thrown)}`);
  assert.equal(thrown.code, code, thrown.message);
  for (const word of words) {
    assert.ok(thrown.message.includes(word), `"${thrown.message}" does not say "${word}"`);
  }
  return true;
}

/** Waits until promises that are under way have settled. */
export const settled = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 5));

/** Collects what console.error is given while `work` runs. */
export async function consoleErrors(work: () => unknown): Promise<unknown[][]> {
  const original = console.error;
  const seen: unknown[][] = [];
  console.error = (...words: unknown[]) => seen.push(words);
  try {
    await work();
  } finally {
    console.error = original;
  }
  return seen;
}
