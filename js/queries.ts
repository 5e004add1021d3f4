/** The query methods that a database, a transaction and a lock have in common: their types and the shapes of their answers. */
import { SyncError } from './errors';
import type { SqlParameter, SqlValue } from './parameters';
import type { NativeResult } from './types';

/** A row when the caller gives no type of its own: values by column name. */
export type Row = Record<string, SqlValue>;

/** What `execute` answers; the shape PowerSync users know. Iterating goes through the rows. */
export type QueryResult<T = Row> = {
  /** The rowid of the last INSERT; undefined if the statement inserted nothing. Not the `id` column. */
  readonly insertId?: number;
  /** Rows inserted, updated or deleted; 0 for a SELECT. */
  readonly rowsAffected: number;
  /** The rows, as op-sqlite and PowerSync have them. `item` answers null beyond the end. */
  readonly rows: { readonly _array: T[]; readonly length: number; item(index: number): T | null };
  /** The same rows as a plain array. */
  readonly array: T[];
  [Symbol.iterator](): IterableIterator<T>;
};

/** What `executeRaw` answers: each row an array with one value per column. */
export type RawQueryResult = {
  readonly insertId?: number;
  readonly rowsAffected: number;
  /** One name per column, not always unique. */
  readonly columnNames: string[];
  readonly rawRows: SqlValue[][];
};

/**
 * Statements on a database, in a transaction or in a lock. Parameters replace `?` in order (or `?1`, `?2`, …). All reject
 * with `SyncError`: `BadArgument` (the statement or a parameter has a wrong type), `Sql`, `Constraint`, `Closed`, `DiskFull`,
 * `CorruptDatabase`, `Interrupted`; in a transaction or lock also `TransactionEnded`, on a database also
 * `NestedTransaction`.
 */
export type Queries = {
  /** Runs one statement that may write. */
  execute<T = Row>(sql: string, parameters?: readonly SqlParameter[]): Promise<QueryResult<T>>;
  /** As `execute`, with rows as arrays: for results whose column names are not unique. */
  executeRaw(sql: string, parameters?: readonly SqlParameter[]): Promise<RawQueryResult>;
  /**
   * Runs one writing statement once per parameter set, all or nothing. `rowsAffected` is the sum. Much faster than as many
   * calls of `execute`.
   */
  executeBatch(sql: string, parameterSets?: readonly (readonly SqlParameter[])[]): Promise<QueryResult<never>>;
  /** All rows. On a database the statement must only read (`ReadOnly`) and runs beside the writer. */
  getAll<T = Row>(sql: string, parameters?: readonly SqlParameter[]): Promise<T[]>;
  /** The first row, or null if there is none. Reads as `getAll` does. */
  getOptional<T = Row>(sql: string, parameters?: readonly SqlParameter[]): Promise<T | null>;
  /** The first row; rejects with `NotFound` if there is none. Reads as `getAll` does. */
  get<T = Row>(sql: string, parameters?: readonly SqlParameter[]): Promise<T>;
};

/** What the native `executeRaw` answers. */
export type NativeRawResult = Omit<NativeResult, 'rows'> & { rows: SqlValue[][] };

/** A class, so that the iterator is no property of every result that is made. */
class Result<T> implements QueryResult<T> {
  readonly rowsAffected: number;
  readonly rows: QueryResult<T>['rows'];
  readonly array: T[];

  constructor(array: T[], rowsAffected: number) {
    this.rowsAffected = rowsAffected;
    this.rows = { _array: array, length: array.length, item: (index) => array[index] ?? null };
    this.array = array;
  }

  [Symbol.iterator](): IterableIterator<T> {
    return this.array[Symbol.iterator]();
  }
}

/** Rows that did not come with a statement's counts, as `watch` and `prepare` have them. */
export function resultOfRows<T>(rows: T[]): QueryResult<T> {
  return new Result(rows, 0);
}

export function resultOf<T>({ rows, rowsAffected, insertId }: NativeResult): QueryResult<T> {
  const result: { insertId?: number } & QueryResult<T> = new Result(rows as T[], rowsAffected);
  if (typeof insertId === 'number') {
    // Absent where nothing was inserted, not undefined.
    result.insertId = insertId;
  }
  return result;
}

export function rawResultOf({ columnNames, rows, rowsAffected, insertId }: NativeRawResult): RawQueryResult {
  return { ...(typeof insertId === 'number' ? { insertId } : {}), rowsAffected, columnNames, rawRows: rows };
}

export function batchResultOf(rowsAffected: number): QueryResult<never> {
  return new Result<never>([], rowsAffected);
}

export function allRows<T>({ rows }: NativeResult): T[] {
  return rows as T[];
}

export function optionalRow<T>({ rows }: NativeResult): T | null {
  return rows.length > 0 ? (rows[0] as T) : null;
}

export function requiredRow<T>({ rows }: NativeResult): T {
  if (rows.length === 0) {
    throw new SyncError('NotFound', 'get() found no row; use getOptional() where there may be none');
  }
  return rows[0] as T;
}
