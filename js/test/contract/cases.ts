/**
 * What the real engine and the fake of `@omnii/sync/jest` must both do: the same cases run on Node over the fake
 * (../unit/contract.test.ts) and on Hermes over the engine (../hermes/contract.test.ts). Nothing here knows which one it is.
 */
import type { Database } from '../../index';
import { column, Schema, SyncError, Table } from '../../index';

/** The few words the two test harnesses have in common. */
export type Assert = {
  equal(actual: unknown, expected: unknown, message?: string): void;
  deepEqual(actual: unknown, expected: unknown, message?: string): void;
  ok(value: unknown, message?: string): void;
};

export type Case = { readonly name: string; readonly run: (db: Database, assert: Assert) => Promise<void> };

export const contractSchema = new Schema({
  notes: new Table({ title: column.text, rank: column.integer, weight: column.real, meta: column.json }, { indexes: { by_rank: ['rank'] } }),
  tags: new Table({ note_id: column.text, name: column.text }),
});

export async function codeOf(work: () => Promise<unknown>): Promise<string> {
  try {
    await work();
    return 'resolved';
  } catch (thrown) {
    return thrown instanceof SyncError ? thrown.code : `no SyncError: ${String(thrown)}`;
  }
}

export const note = (db: Pick<Database, 'execute'>, id: string, title = 'n', rank: number | null = null) =>
  db.execute('INSERT INTO notes (id, title, rank) VALUES (?, ?, ?)', [id, title, rank]);

/** Waits until `holds`, for at most two seconds. */
export async function until(holds: () => boolean, what: string): Promise<void> {
  const end = Date.now() + 2000;
  while (!holds()) {
    if (Date.now() > end) {
      throw new Error(`waited in vain for: ${what}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}
