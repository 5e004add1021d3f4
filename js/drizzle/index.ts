/**
 * `@omnii/sync/drizzle`: Drizzle ORM over an open database.
 *
 * Owns no state: queries go to the database as they are, rows come back as arrays, so that joined columns of one name stay
 * apart. Reads run beside the writer, transactions are the database's own, and a transaction in a transaction is a savepoint.
 * Tables are made by `openDatabase` from our `Schema` (see `toSchema`); Drizzle's migrations are not for them.
 */
import { type BaseSQLiteDatabase, SQLiteAsyncDialect } from 'drizzle-orm/sqlite-core';
import { type AsyncRemoteCallback, drizzle as drizzleRemote, type SqliteRemoteDatabase } from 'drizzle-orm/sqlite-proxy';
import { SQLiteProxyTransaction } from 'drizzle-orm/sqlite-proxy/session';
import type { DrizzleConfig } from 'drizzle-orm/utils';
import type { Database, Queries, RawQueryResult, SqlParameter } from '../index';

export { toSchema } from './schema';

/** What the driver needs of an open database. */
export type DrizzleClient = Pick<Database, 'executeRaw' | 'readLock' | 'writeTransaction'>;

/** What a query without rows answers. */
export type RunResult = { readonly rowsAffected: number; readonly insertId?: number };

type AnySchema = Record<string, unknown>;

/** Drizzle's database; `DB` names it in the app's own types. */
export type DrizzleDatabase<S extends AnySchema = Record<string, never>> = BaseSQLiteDatabase<'async', RunResult, S>;

type RunsRaw = (sql: string, parameters: readonly SqlParameter[]) => Promise<RawQueryResult>;

/** Drizzle's remote driver takes a function that runs one statement; this makes it of ours. */
function callbackOf(runRaw: RunsRaw): AsyncRemoteCallback {
  return async (sql, parameters, method) => {
    const { rawRows, rowsAffected, insertId } = await runRaw(sql, parameters as SqlParameter[]);
    if (method === 'run') {
      return { rows: [], rowsAffected, ...(insertId === undefined ? {} : { insertId }) };
    }
    // For one row Drizzle wants the row itself, undefined where there is none.
    return { rows: method === 'get' ? (rawRows[0] as unknown as unknown[]) : rawRows };
  };
}

/** Statements that can't write: they need not wait for the writer. A wrong no costs only that. */
function onlyReads(sql: string): boolean {
  return /^\s*(select|values)\b/i.test(sql) || (/^\s*with\b/i.test(sql) && !/\b(insert|update|delete|replace)\b/i.test(sql));
}

/**
 * Drizzle over this database. `config` as Drizzle has it: `schema` for relational queries, `logger`, `casing`.
 *
 * A failed query rejects with Drizzle's `DrizzleQueryError`, whose `cause` is the `SyncError`, where Drizzle wraps errors; what
 * a transaction's callback throws is rethrown unchanged. `behavior` of a transaction means nothing here: all may write.
 */
export function wrapDatabaseWithDrizzle<S extends AnySchema = Record<string, never>>(
  db: DrizzleClient,
  config: DrizzleConfig<S> = {}
): DrizzleDatabase<S> {
  const over = (runRaw: RunsRaw): SqliteRemoteDatabase<S> => drizzleRemote(callbackOf(runRaw), config);
  const dialect = new SQLiteAsyncDialect(config.casing === undefined ? {} : { casing: config.casing });
  const wrapped = over((sql, parameters) =>
    onlyReads(sql) ? db.readLock((lock) => lock.executeRaw(sql, parameters)) : db.executeRaw(sql, parameters)
  );
  type Transaction = InstanceType<typeof SQLiteProxyTransaction<S, never>>;
  const transactionOver = (tx: Pick<Queries, 'executeRaw'>): Transaction => {
    const inner = over((sql, parameters) => tx.executeRaw(sql, parameters));
    const { session } = inner as unknown as { session: ConstructorParameters<typeof SQLiteProxyTransaction<S, never>>[2] };
    const { schema, fullSchema, tableNamesMap } = inner._ as unknown as {
      schema: never;
      fullSchema: S;
      tableNamesMap: Record<string, string>;
    };
    const known = (schema as unknown) === undefined ? undefined : { schema, fullSchema, tableNamesMap };
    return new SQLiteProxyTransaction<S, never>('async', dialect, session, known);
  };
  wrapped.transaction = ((callback: (tx: Transaction) => Promise<unknown>) =>
    db.writeTransaction((tx) => callback(transactionOver(tx)))) as unknown as typeof wrapped.transaction;
  return wrapped as unknown as DrizzleDatabase<S>;
}

/** As {@link wrapDatabaseWithDrizzle}: the name that Drizzle's drivers have, and the one of PowerSync's. */
export { wrapDatabaseWithDrizzle as drizzle, wrapDatabaseWithDrizzle as wrapPowerSyncWithDrizzle };

/**
 * A Drizzle query as `db.customQuery(…)` and `useQuery(…)` take it. Live results are made by Drizzle each time something has
 * changed, so that unchanged rows are new objects; give `rowComparator` where that matters.
 */
export function toCompilableQuery<T>(query: {
  toSQL(): { sql: string; params: unknown[] };
  execute(): Promise<T | T[]>;
}): { compile(): { sql: string; parameters: unknown[] }; execute(): Promise<T[]> } {
  return {
    compile: () => {
      const { sql, params } = query.toSQL();
      return { sql, parameters: params };
    },
    execute: async () => {
      const result = await query.execute();
      return Array.isArray(result) ? result : [result];
    },
  };
}
