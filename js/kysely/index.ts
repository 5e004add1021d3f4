/**
 * `@omnii/sync/kysely`: Kysely over an open database.
 *
 * Owns no state but the transactions under way. Queries that read run beside the writer, transactions are the database's own
 * and have savepoints. Streaming is refused: use `watch`, or pages. Tables are made by `openDatabase` from our `Schema`.
 */
import {
  type Compilable, type CompiledQuery, type DatabaseConnection, type Dialect, type Driver, Kysely, type KyselyConfig, type QueryResult,
  SqliteAdapter, SqliteIntrospector, SqliteQueryCompiler,
} from 'kysely';
import type { Database, Queries, SqlParameter } from '../index';
import { SyncError, toSyncError } from '../errors';

/** What the driver needs of an open database. */
export type KyselyClient = Pick<Database, 'execute' | 'getAll' | 'writeTransaction' | 'readTransaction'>;

/** Ends the callback of the transaction that a connection holds. */
type Held = { readonly tx: Pick<Queries, 'execute'>; readonly finish: (commit: boolean) => void; readonly over: Promise<unknown> };

/** Thrown inside a transaction to take it back; nobody else sees it. */
const rolledBack = new Error('rolled back');

class Connection implements DatabaseConnection {
  held: Held | null = null;
  private readonly db: KyselyClient;

  constructor(db: KyselyClient) {
    this.db = db;
  }

  async executeQuery<R>({ query, sql, parameters }: CompiledQuery): Promise<QueryResult<R>> {
    const values = parameters as readonly SqlParameter[];
    if (this.held === null && (query.kind === 'SelectQueryNode' || (query.kind === 'RawNode' && /^\s*select\b/i.test(sql)))) {
      return { rows: await this.db.getAll<R>(sql, values) };
    }
    const { array, rowsAffected, insertId } = await (this.held?.tx ?? this.db).execute<R>(sql, values);
    return {
      rows: array,
      ...(query.kind === 'SelectQueryNode' ? {} : { numAffectedRows: BigInt(rowsAffected) }),
      ...(insertId === undefined ? {} : { insertId: BigInt(insertId) }),
    };
  }

  streamQuery(): AsyncIterableIterator<never> {
    throw new SyncError('BadArgument', 'stream() is not supported: use execute(), in pages if the result is large');
  }
}

function connectionOf(connection: DatabaseConnection): Connection {
  if (!(connection instanceof Connection)) {
    throw new SyncError('Internal', 'this connection was not made by the driver');
  }
  return connection;
}

function createDriver(db: KyselyClient): Driver {
  const end = async (connection: Connection, commit: boolean): Promise<void> => {
    const { held } = connection;
    connection.held = null;
    held?.finish(commit);
    await held?.over;
  };
  const savepoint = async (connection: DatabaseConnection, sql: string): Promise<void> => {
    await connectionOf(connection).held?.tx.execute(sql);
  };
  const quoted = (name: string): string => `"${name.replaceAll('"', '""')}"`;
  return {
    init: () => Promise.resolve(),
    destroy: () => Promise.resolve(),
    acquireConnection: () => Promise.resolve(new Connection(db)),
    releaseConnection: () => Promise.resolve(),
    beginTransaction: (connection, { accessMode }) =>
      new Promise((resolve, reject) => {
        const begin = accessMode === 'read only' ? db.readTransaction : db.writeTransaction;
        const over = begin(
          (tx) =>
            new Promise<void>((done, fail) => {
              const finish = (commit: boolean): void => {
                if (commit) {
                  done();
                } else {
                  fail(rolledBack);
                }
              };
              // `over` is known when the callback runs: it never runs in the call itself.
              void Promise.resolve().then(() => {
                connectionOf(connection).held = { tx, finish, over: quiet };
                resolve();
              });
            })
        );
        const quiet = over.catch((thrown: unknown) => {
          if (thrown !== rolledBack) {
            reject(toSyncError(thrown));
            throw thrown;
          }
        });
        quiet.catch(() => undefined);
      }),
    commitTransaction: (connection) => end(connectionOf(connection), true),
    rollbackTransaction: (connection) => end(connectionOf(connection), false),
    savepoint: (connection, name) => savepoint(connection, `SAVEPOINT ${quoted(name)}`),
    rollbackToSavepoint: (connection, name) => savepoint(connection, `ROLLBACK TO ${quoted(name)}`),
    releaseSavepoint: (connection, name) => savepoint(connection, `RELEASE ${quoted(name)}`),
  };
}

/** For `new Kysely({ dialect })`. */
export function createDialect(db: KyselyClient): Dialect {
  return {
    createAdapter: () => new SqliteAdapter(),
    createDriver: () => createDriver(db),
    createIntrospector: (kysely) => new SqliteIntrospector(kysely),
    createQueryCompiler: () => new SqliteQueryCompiler(),
  };
}

/** Kysely over this database. `T`: rows by table, as `(typeof schema)['types']` has them. `destroy()` leaves the database open. */
export function wrapDatabaseWithKysely<T>(db: KyselyClient, config: Omit<KyselyConfig, 'dialect'> = {}): Kysely<T> {
  return new Kysely<T>({ ...config, dialect: createDialect(db) });
}

/** A Kysely query as `db.customQuery(…)` and `useQuery(…)` take it. */
export function toCompilableQuery<Row>(query: Compilable<Row> & { execute(): Promise<Row[]> }): {
  compile(): { sql: string; parameters: readonly unknown[] };
  execute(): Promise<Row[]>;
} {
  return { compile: () => query.compile(), execute: () => query.execute() };
}

/** The name it has in PowerSync's driver. */
export { wrapDatabaseWithKysely as wrapPowerSyncWithKysely };
