/** Changes that the backend refused for good: what the app sees of them, and how it names them. */
import { describe } from './describe';
import { SyncError } from './errors';

/**
 * A change that the backend refused for good, or took without storing it. It stays in the file, and visible in the
 * app's tables, until it is retried or discarded, or until a later write of the row makes it true after all.
 */
export type ParkedChange = {
  /** Names it in `retryParked` and `discardParked`. Grows with every change, never reused. */
  readonly id: number;
  /** Changes of one local transaction share this. */
  readonly transactionId: number;
  readonly table: string;
  /** The row's `id`. */
  readonly rowId: string;
  readonly operation: 'insert' | 'update' | 'delete';
  /** The columns that were set, as SQLite holds them (a JSON column: its text); null for a delete. */
  readonly columns: Readonly<Record<string, string | number | null>> | null;
  /** Why it was refused, for people. */
  readonly reason: string;
};

/** Change ids as the engine takes them: '' for all. Throws `BadArgument`. */
export function idsToJson(method: string, ids: unknown): string {
  if (ids === undefined) {
    return '';
  }
  if (!Array.isArray(ids)) {
    throw new SyncError('BadArgument', `${method} takes an array of ids, or nothing for all; got ${describe(ids)}`);
  }
  // Array.from also visits holes, as undefined.
  const wrong = Array.from(ids as readonly unknown[]).find((id) => !Number.isSafeInteger(id));
  if (wrong !== undefined || ids.includes(undefined)) {
    const got = typeof wrong === 'number' ? String(wrong) : describe(wrong);
    throw new SyncError('BadArgument', `${method}: ids must be whole numbers, as getParkedChanges() answers them; got ${got}`);
  }
  return JSON.stringify(ids);
}
