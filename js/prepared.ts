/**
 * Prepared statements in op-sqlite's shape. The engine keeps the statements it has compiled by their text; what is owned here
 * is that wrong SQL is refused when it is prepared, the parameters that are bound, and that nothing runs after `finalize`.
 */
import type { Calls } from './calls';
import { describe } from './describe';
import { SyncError } from './errors';
import { checkParameters, checkSql, type SqlParameter, type SqlValues } from './parameters';
import { type Queries, type QueryResult, resultOfRows, type Row } from './queries';

/** What `prepare` resolves to. All reject with `BadArgument` after `finalize()`. */
export type PreparedStatement<T = Row> = {
  readonly columnNames: readonly string[];
  /** True if it only reads; it runs beside the writer then. */
  readonly readOnly: boolean;
  /** Keeps the parameters for the executions to come. Their number must be right (`BadArgument`). */
  bind(parameters: readonly SqlParameter[]): Promise<void>;
  /** As `bind`, at once; throws. */
  bindSync(parameters: readonly SqlParameter[]): void;
  /** Runs it with what was bound last; what was never bound is NULL. */
  execute(): Promise<QueryResult<T>>;
  /** Gives it up. May be called again. */
  finalize(): Promise<void>;
};

export type Prepares = {
  /** Compiles a statement. Rejects with `Sql` if it is wrong. */
  prepare<T = Row>(sql: string): Promise<PreparedStatement<T>>;
};

/** What `describe` of the engine answers. */
export type Description = { tables: string[]; readOnly: boolean; parameters: number; columnNames: string[] };

export async function describeStatement({ native, databaseId, whileOpen }: Calls, sql: string): Promise<Description> {
  return JSON.parse(await whileOpen(() => native.describe(databaseId, checkSql(sql)))) as Description;
}

function copyOf(parameters: unknown, expected: number): SqlValues {
  if (parameters === undefined) {
    throw new SyncError('BadArgument', `bind takes an array of parameters; got ${describe(parameters)}`);
  }
  const values = [...checkParameters(parameters)];
  if (values.length !== expected) {
    throw new SyncError('BadArgument', `bind: the statement has ${expected} parameters; got ${values.length}`);
  }
  return values.map((value) => (value instanceof ArrayBuffer ? value.slice(0) : value));
}

export function createPrepares(calls: Calls, queries: Pick<Queries, 'execute' | 'getAll'>): Prepares {
  return {
    prepare: async <T = Row>(sql: string): Promise<PreparedStatement<T>> => {
      const { readOnly, parameters, columnNames } = await describeStatement(calls, sql);
      let bound: SqlValues = new Array<null>(parameters).fill(null);
      let finalized = false;
      const bindSync = (values: readonly SqlParameter[]): void => {
        if (finalized) {
          throw new SyncError('BadArgument', 'this prepared statement was finalized; prepare it again');
        }
        bound = copyOf(values, parameters);
      };
      return {
        columnNames,
        readOnly,
        bindSync,
        // An async function, so that what bindSync throws becomes a rejection.
        // eslint-disable-next-line @typescript-eslint/require-await
        bind: async (values) => {
          bindSync(values);
        },
        execute: () =>
          finalized
            ? Promise.reject(new SyncError('BadArgument', 'this prepared statement was finalized; prepare it again'))
            : readOnly
              ? queries.getAll<T>(sql, bound).then(resultOfRows)
              : queries.execute<T>(sql, bound),
        finalize: () => {
          finalized = true;
          return Promise.resolve();
        },
      };
    },
  };
}
