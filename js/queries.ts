/** The query methods that a database and a transaction have in common, over whatever runs one statement. */
import { SyncError } from './errors';
import { checkParameters, checkSql, type SqlParameter, type SqlValue } from './parameters';
import type { NativeResult } from './types';

/** A row when the caller gives no type of its own: values by column name. */
export type Row = Record<string, SqlValue>;

/** What `execute` answers; the shape PowerSync users know. */
export type QueryResult<T = Row> = {
  /** The rowid of the last INSERT; undefined if the statement inserted nothing. Not the `id` column. */
  readonly insertId?: number;
  /** Rows inserted, updated or deleted; 0 for a SELECT. */
  readonly rowsAffected: number;
  /** The rows, as op-sqlite and PowerSync have them. `item` answers null beyond the end. */
  readonly rows: { readonly _array: T[]; readonly length: number; item(index: number): T | null };
  /** The same rows as a plain array. */
  readonly array: T[];
};

/**
 * Statements on a database or in a transaction. Parameters replace `?` in order (or `?1`, `?2`, …). All reject with
 * `SyncError`: `BadArgument` (the statement or a parameter has a wrong type), `Sql`, `Constraint`, `Closed`,
 * `DiskFull`, `CorruptDatabase`; in a transaction also `TransactionEnded`.
 */
export type Queries = {
  /** Runs one statement that may write. */
  execute<T = Row>(sql: string, parameters?: readonly SqlParameter[]): Promise<QueryResult<T>>;
  /** All rows. On a database the statement must only read (`ReadOnly`) and runs beside the writer. */
  getAll<T = Row>(sql: string, parameters?: readonly SqlParameter[]): Promise<T[]>;
  /** The first row, or null if there is none. Reads as `getAll` does. */
  getOptional<T = Row>(sql: string, parameters?: readonly SqlParameter[]): Promise<T | null>;
  /** The first row; rejects with `NotFound` if there is none. Reads as `getAll` does. */
  get<T = Row>(sql: string, parameters?: readonly SqlParameter[]): Promise<T>;
};

/** Runs one checked statement. */
export type Run = (sql: string, parameters: (SqlValue | boolean)[]) => Promise<NativeResult>;

function resultOf<T>({ rows, rowsAffected, insertId }: NativeResult): QueryResult<T> {
  const array = rows as T[];
  return {
    ...(typeof insertId === 'number' ? { insertId } : {}),
    rowsAffected,
    rows: { _array: array, length: array.length, item: (index) => array[index] ?? null },
    array,
  };
}

/** `write` runs what `execute` is given, `read` the rest. */
export function createQueries(write: Run, read: Run): Queries {
  const getAll = async <T>(sql: string, parameters?: readonly SqlParameter[]): Promise<T[]> =>
    (await read(checkSql(sql), checkParameters(parameters))).rows as T[];
  const getOptional = async <T>(sql: string, parameters?: readonly SqlParameter[]): Promise<T | null> =>
    (await getAll<T>(sql, parameters))[0] ?? null;
  return {
    execute: async <T>(sql: string, parameters?: readonly SqlParameter[]) =>
      resultOf<T>(await write(checkSql(sql), checkParameters(parameters))),
    getAll,
    getOptional,
    get: async <T>(sql: string, parameters?: readonly SqlParameter[]) => {
      const row = await getOptional<T>(sql, parameters);
      if (row === null) {
        throw new SyncError('NotFound', 'get() found no row; use getOptional() where there may be none');
      }
      return row;
    },
  };
}
