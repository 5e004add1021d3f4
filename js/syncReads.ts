/**
 * Reading on the JS thread: the call returns with the rows. For small lookups only: nothing else happens in JavaScript
 * meanwhile, and a statement that scans a large table holds up the frame.
 */
import type { Calls } from './calls';
import { SyncError } from './errors';
import { checkParameters, checkSql, type SqlParameter } from './parameters';
import { allRows, optionalRow, type QueryResult, requiredRow, resultOf, type Row } from './queries';
import type { NativeResult } from './types';

/**
 * Reads that block the JS thread until the rows are there. They see what has been committed. Throw `SyncError` with the codes
 * that the promise methods reject with; a statement that writes throws `ReadOnly`.
 */
export type SyncReads = {
  executeSync<T = Row>(sql: string, parameters?: readonly SqlParameter[]): QueryResult<T>;
  getAllSync<T = Row>(sql: string, parameters?: readonly SqlParameter[]): T[];
  getOptionalSync<T = Row>(sql: string, parameters?: readonly SqlParameter[]): T | null;
  /** Throws `NotFound` if there is no row. */
  getSync<T = Row>(sql: string, parameters?: readonly SqlParameter[]): T;
};

export function createSyncReads({ native, databaseId, isOpen, closedError, toError }: Calls): SyncReads {
  const read = (sql: string, parameters: readonly SqlParameter[] | undefined): NativeResult => {
    if (!isOpen()) {
      throw closedError();
    }
    const text = checkSql(sql);
    const values = checkParameters(parameters);
    try {
      return native.querySync(databaseId, text, values) as NativeResult;
    } catch (thrown) {
      const error = toError(thrown);
      throw error.code === 'ReadOnly'
        ? new SyncError('ReadOnly', `${error.message}; only reads can run on the JS thread: use await db.execute()`)
        : error;
    }
  };
  return {
    executeSync: (sql, parameters) => resultOf(read(sql, parameters)),
    getAllSync: (sql, parameters) => allRows(read(sql, parameters)),
    getOptionalSync: (sql, parameters) => optionalRow(read(sql, parameters)),
    getSync: (sql, parameters) => requiredRow(read(sql, parameters)),
  };
}
