/**
 * Pending changes as an app takes them that uploads by itself: transactions and batches in the order they were made, each
 * with a `complete` that takes it from the outbox. The engine owns the outbox; nothing is held here.
 */
import { asyncIterator } from './asyncIterator';
import { describe } from './describe';
import { SyncError } from './errors';
import type { Calls } from './calls';
import type { NativeCrud, NativeCrudEntry } from './types';

/** PUT: inserted, all columns written are there. PATCH: updated, the columns written. DELETE: deleted. */
export type UpdateType = 'PUT' | 'PATCH' | 'DELETE';
export const UpdateType = { PUT: 'PUT', PATCH: 'PATCH', DELETE: 'DELETE' } as const;

/** One pending change. */
export type CrudEntry = {
  /** Grows with every change; never used twice. */
  readonly clientId: number;
  /** The row's `id`. */
  readonly id: string;
  readonly op: UpdateType;
  readonly table: string;
  /** Columns written, as SQLite holds them (JSON columns as text); undefined for DELETE. */
  readonly opData?: Record<string, string | number | null>;
  /** With `trackPrevious`: the values before, of an update or delete. */
  readonly previousValues?: Record<string, string | number | null>;
  /** With `trackMetadata`: what was written into `_metadata`. */
  readonly metadata?: string;
  /** Changes of one local transaction share it. */
  readonly transactionId?: number;
  /** PowerSync's wire form: `{op_id, op, type, id, tx_id, data, old, metadata}`. */
  toJSON(): Record<string, unknown>;
  equals(entry: CrudEntry): boolean;
  toComparisonArray(): unknown[];
};

/** Some pending changes; the last transaction in it may be cut. */
export type CrudBatch = {
  readonly crud: CrudEntry[];
  readonly haveMore: boolean;
  /** They have been uploaded: takes them, and all before them, from the outbox. */
  complete(writeCheckpoint?: string): Promise<void>;
};

/** The pending changes of one local transaction. */
export type CrudTransaction = {
  readonly crud: CrudEntry[];
  readonly transactionId?: number;
  /** As that of {@link CrudBatch}. */
  complete(writeCheckpoint?: string): Promise<void>;
};

/** `size`: bytes of the changes, null unless asked for. */
export type UploadQueueStats = { readonly count: number; readonly size: number | null };

/** For a connector with `uploadData`. All wait for open transactions to end, as `execute` does. */
export type UploadQueue = {
  /** How much is pending; with `includeSize` also how many bytes that are. */
  getUploadQueueStats(includeSize?: boolean): Promise<UploadQueueStats>;
  /** The oldest pending changes, at most `limit` (100); null if there are none. */
  getCrudBatch(limit?: number): Promise<CrudBatch | null>;
  /** The oldest pending transaction; null if there is none. */
  getNextCrudTransaction(): Promise<CrudTransaction | null>;
  /** All pending transactions, oldest first, without completing any; completing one completes those before it, too. */
  getCrudTransactions(): AsyncIterableIterator<CrudTransaction, null>;
  /** Stands for this database file on this device. */
  getClientId(): Promise<string>;
};

const defaultLimit = 100;
const maxLimit = 1_000_000;

function entryOf({ id, transaction, table, rowId, op, data, previous, metadata }: NativeCrudEntry): CrudEntry {
  const entry: CrudEntry = {
    clientId: id,
    id: rowId,
    op,
    table,
    ...(data === null ? {} : { opData: data }),
    ...(previous === null ? {} : { previousValues: previous }),
    ...(metadata === null ? {} : { metadata }),
    transactionId: transaction,
    toJSON: () => ({
      op_id: id,
      op,
      type: table,
      id: rowId,
      tx_id: transaction,
      data: data ?? undefined,
      old: previous ?? undefined,
      metadata: metadata ?? undefined,
    }),
    equals: (other) => JSON.stringify(entry.toComparisonArray()) === JSON.stringify(other.toComparisonArray()),
    toComparisonArray: () => [transaction, id, op, table, rowId, data ?? undefined, previous ?? undefined, metadata ?? undefined],
  };
  return entry;
}

function checkLimit(given: unknown): number {
  if (typeof given !== 'number' || !Number.isInteger(given) || given < 1 || given > maxLimit) {
    const got = typeof given === 'number' ? String(given) : describe(given);
    throw new SyncError('BadArgument', `getCrudBatch takes a whole number from 1 to ${maxLimit}; got ${got}`);
  }
  return given;
}

export function createUploadQueue({ native, databaseId, whileOpen, withWriter, writing }: Calls): UploadQueue {
  const take = async (after: number | null, transactions: number, entries: number) => {
    const options = JSON.stringify({ after, transactions, entries });
    const page = JSON.parse(await withWriter('statement', () => native.getCrud(databaseId, options))) as NativeCrud;
    const last = page.entries.at(-1);
    if (last === undefined) {
      return null;
    }
    return {
      crud: page.entries.map(entryOf),
      haveMore: page.hasMore,
      lastId: last.id,
      transactionId: last.transaction,
      complete: () => writing('statement', () => native.completeCrud(databaseId, last.id)),
    };
  };
  const transactionAfter = async (after: number | null) => {
    // One transaction is never cut, however many entries are asked for.
    const taken = await take(after, 1, 1);
    if (taken === null) {
      return null;
    }
    const { crud, transactionId, complete, lastId } = taken;
    const transaction: CrudTransaction = { crud, transactionId, complete };
    return { transaction, lastId };
  };
  return {
    getUploadQueueStats: async (includeSize = false) => {
      const answer = await withWriter('statement', () => native.getUploadQueueStats(databaseId, includeSize));
      return JSON.parse(answer) as UploadQueueStats;
    },
    getCrudBatch: async (limit = defaultLimit) => {
      const taken = await take(null, 0, checkLimit(limit));
      return taken === null ? null : { crud: taken.crud, haveMore: taken.haveMore, complete: taken.complete };
    },
    getNextCrudTransaction: async () => (await transactionAfter(null))?.transaction ?? null,
    getCrudTransactions: () => {
      // By hand: not every Hermes knows async generators.
      let after: number | null = null;
      let over = false;
      return asyncIterator<CrudTransaction, null>({
        next: async () => {
          const next = over ? null : await transactionAfter(after);
          if (next === null) {
            over = true;
            return { done: true, value: null };
          }
          after = next.lastId;
          return { done: false, value: next.transaction };
        },
        return: () => {
          over = true;
          return Promise.resolve({ done: true, value: null });
        },
      });
    },
    getClientId: () => whileOpen(() => native.getClientId(databaseId)),
  };
}
