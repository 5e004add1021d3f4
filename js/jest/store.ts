/**
 * One database in memory: the app's statements one after another, as the engine's writer runs them, and reads beside them.
 *
 * Guarantees: a row and its outbox entry are one change; reads outside of an open transaction see what was there before it
 * (of a copy, made at the transaction's first write); a commit is told once, after it. All calls resolve in a microtask:
 * no timer is used.
 */
import type { SqlJsStatic } from 'sql.js';
import type { NativeSchema } from '../types';
import { nativeError } from './nativeError';
import { refuseForbidden } from './refusals';
import { type Connection, connect, type Explained, type RawResult } from './sqlite';
import { columnsOf, createIndexes, createTable, createTriggers, outboxSql, quote, sqlName } from './tables';

export type Mode = 'write' | 'writeLock' | 'read' | 'readLock';

/** What one commit changed: the ids of the rows by table; null for a table whose ids are unknown. */
export type Changes = ReadonlyMap<string, ReadonlySet<string> | null>;

type Job = { readonly run: () => void; readonly reject: (error: Error) => void; readonly isStatement: boolean };

export type Store = ReturnType<typeof createStore>;

/** `committed` hears of each commit; `app`: it was the app's. */
export function createStore(sqlite: SqlJsStatic, committed: (changes: Changes, app: boolean) => void) {
  const main = connect(sqlite);
  let schema: NativeSchema = { tables: [] };
  let integers: 'bigint' | 'error' = 'bigint';
  let isOpen = false;
  let suspended = false;
  let capturing = false;
  let transaction = 0;
  let touched = new Map<string, Set<string> | null>();
  /** The transaction or lock that has the writer. */
  let current: { id: number; mode: 'write' | 'writeLock'; begun: boolean } | null = null;
  /** What was there before the transaction that writes now. */
  let before: Connection | null = null;
  const readers = new Map<number, { mode: Mode; snapshot: Connection | null }>();
  let lastId = 0;
  let jobs: Job[] = [];

  main.script('PRAGMA recursive_triggers = ON');
  main.define('omnii_capturing', 0, () => (capturing ? 1 : 0));
  main.define('omnii_transaction', 0, () => transaction);
  main.define('omnii_touched', 2, (table, id) => {
    const ids = touched.get(table as string) ?? new Set<string>();
    touched.set(table as string, ids.add(id as string));
    return null;
  });
  main.onChange((table) => {
    if (!/^(omnii|sqlite)_/i.test(table) && !touched.has(table)) {
      touched.set(table, schema.tables.some((t) => sqlName(t) === table) ? new Set() : null);
    }
  });
  main.script(outboxSql);

  const notOpen = (): Error => nativeError('NotOpen', 'the database is not open');
  const ended = (why: string): Error => nativeError('TransactionEnded', `the transaction has ended: ${why}`);
  const copy = (): Connection => copyOf(sqlite, main);

  const tell = (app: boolean): void => {
    const changes = touched;
    touched = new Map();
    committed(changes, app);
  };
  const runNext = (): void => {
    while (isOpen && !suspended && current === null) {
      const job = jobs.shift();
      if (job === undefined) {
        return;
      }
      job.run();
    }
  };
  /** Runs `work` when what is before it has ended. */
  const enqueue = async <T>(work: () => T, isStatement: boolean): Promise<T> => {
    if (!isOpen) {
      throw notOpen();
    }
    const done = new Promise<T>((resolve, reject) => {
      const run = (): void => {
        try {
          resolve(work());
        } catch (thrown) {
          reject(thrown instanceof Error ? thrown : new Error(String(thrown)));
        }
      };
      jobs.push({ run, reject, isStatement });
    });
    await Promise.resolve();
    runNext();
    return done;
  };
  /** What reads outside of the writer see. */
  const outside = (): Connection => before ?? main;
  const freeze = (): void => {
    for (const reader of readers.values()) {
      if (reader.mode === 'read') {
        reader.snapshot ??= copy();
      }
    }
  };
  const capture = (sql: string, parameters: readonly unknown[]): RawResult => {
    refuseForbidden(sql, schema.tables, current?.mode === 'write');
    capturing = true;
    try {
      return main.run(sql, parameters, integers);
    } finally {
      capturing = false;
    }
  };
  const isWrite = (sql: string): boolean => {
    try {
      return !main.explain(sql).readOnly;
    } catch {
      return false;
    }
  };
  /** Runs `work` as one transaction. */
  const atomic = <T>(app: boolean, work: () => T): T => {
    freeze();
    transaction += app ? 1 : 0;
    main.script('BEGIN');
    let result: T;
    try {
      result = work();
      main.script('COMMIT');
    } catch (thrown) {
      touched = new Map();
      try {
        main.script('ROLLBACK');
      } catch {
        // The statement itself has rolled it back (ON CONFLICT ROLLBACK).
      }
      throw thrown;
    }
    tell(app);
    return result;
  };
  const alone = (sql: string, parameters: readonly unknown[]): RawResult => {
    refuseForbidden(sql, schema.tables, false);
    // Some statements, as PRAGMA and EXPLAIN, do not work or mean nothing in a transaction.
    return isWrite(sql) ? atomic(true, () => capture(sql, parameters)) : main.run(sql, parameters, integers);
  };
  const inTransaction = (sql: string, parameters: readonly unknown[]): RawResult => {
    if (current !== null && !current.begun && (isWrite(sql) || /^\s*savepoint\b/i.test(sql))) {
      freeze();
      before = copy();
      main.script('BEGIN');
      current.begun = true;
      transaction += 1;
    }
    return capture(sql, parameters);
  };
  const read = (connection: Connection, sql: string, parameters: readonly unknown[]): RawResult => {
    if (!connection.explain(sql).readOnly) {
      throw nativeError('ReadOnly', 'this call only reads; use execute() for statements that write');
    }
    refuseForbidden(sql, schema.tables, true);
    return connection.run(sql, parameters, integers);
  };

  const end = (id: number, commit: boolean): void => {
    const reader = readers.get(id);
    if (reader !== undefined) {
      reader.snapshot?.close();
      readers.delete(id);
      return;
    }
    if (current?.id !== id) {
      throw ended('it was committed or rolled back');
    }
    const { begun } = current;
    current = null;
    before?.close();
    before = null;
    try {
      if (begun) {
        main.script(commit ? 'COMMIT' : 'ROLLBACK');
      }
    } catch (thrown) {
      touched = new Map();
      throw commit ? thrown : nativeError('Sql', 'the transaction could not be rolled back');
    }
    if (begun && commit) {
      tell(true);
    }
    touched = new Map();
    // Fake timers replace `queueMicrotask`, not promises.
    void Promise.resolve().then(runNext);
  };

  /** Runs one statement where `id` says. */
  const execute = async (id: number, sql: string, parameters: readonly unknown[]): Promise<RawResult> => {
    if (id === 0) {
      return enqueue(() => alone(sql, parameters), true);
    }
    if (!isOpen) {
      throw notOpen();
    }
    await Promise.resolve();
    const reader = readers.get(id);
    if (reader !== undefined) {
      if (reader.mode === 'read') {
        return read(reader.snapshot ?? outside(), sql, parameters);
      }
      return read(outside(), sql, parameters);
    }
    if (current?.id !== id) {
      throw ended('it was committed or rolled back');
    }
    return current.mode === 'write' ? inTransaction(sql, parameters) : alone(sql, parameters);
  };

  return {
    main,
    /** Brings the tables to the schema: what is new is added; tables that are gone stay. */
    open: (next: NativeSchema, wanted: 'bigint' | 'error') => {
      schema = next;
      integers = wanted;
      for (const table of next.tables) {
        const known = main.run(`SELECT name FROM pragma_table_info(?)`, [sqlName(table)]).rows.map(([name]) => name);
        if (known.length === 0) {
          main.script(createTable(table));
        } else {
          for (const { name, sql } of columnsOf(table)) {
            if (!known.includes(name)) {
              main.script(`ALTER TABLE ${quote(sqlName(table))} ADD COLUMN ${sql}`);
            }
          }
        }
        for (const sql of [...createIndexes(table), ...createTriggers(table)]) {
          main.script(sql);
        }
      }
      isOpen = true;
      suspended = false;
    },
    close: () => {
      isOpen = false;
      for (const id of [...readers.keys()]) {
        end(id, false);
      }
      if (current !== null) {
        end(current.id, false);
      }
      const waiting = jobs;
      jobs = [];
      for (const job of waiting) {
        job.reject(notOpen());
      }
    },
    schema: () => schema,
    execute,
    /** All or nothing. */
    batch: async (id: number, sql: string, sets: readonly (readonly unknown[])[]): Promise<number> => {
      const all = (one: (parameters: readonly unknown[]) => RawResult): number =>
        sets.reduce((sum, parameters) => sum + one(parameters).rowsAffected, 0);
      const single = (): number => {
        refuseForbidden(sql, schema.tables, false);
        return atomic(true, () => all((parameters) => capture(sql, parameters)));
      };
      if (id === 0) {
        return enqueue(single, true);
      }
      if (current?.id === id && current.mode === 'write') {
        await execute(id, 'SAVEPOINT omnii_batch', []);
        try {
          const changed = all((parameters) => capture(sql, parameters));
          main.script('RELEASE omnii_batch');
          return changed;
        } catch (thrown) {
          main.script('ROLLBACK TO omnii_batch; RELEASE omnii_batch');
          throw thrown;
        }
      }
      await Promise.resolve();
      if (readers.has(id)) {
        throw nativeError('ReadOnly', 'this transaction or lock only reads; use writeTransaction()');
      }
      if (current?.id !== id) {
        throw ended('it was committed or rolled back');
      }
      return single();
    },
    query: async (sql: string, parameters: readonly unknown[]): Promise<RawResult> => {
      await Promise.resolve();
      if (!isOpen) {
        throw notOpen();
      }
      return read(outside(), sql, parameters);
    },
    querySync: (sql: string, parameters: readonly unknown[]): RawResult => {
      if (!isOpen) {
        throw notOpen();
      }
      if (suspended) {
        throw nativeError('Suspended', 'the app is suspended and the file closed', true);
      }
      return read(outside(), sql, parameters);
    },
    explain: (sql: string): Explained => outside().explain(sql),
    begin: (mode: Mode): Promise<number> => {
      if (mode === 'read' || mode === 'readLock') {
        return Promise.resolve().then(() => {
          if (!isOpen) {
            throw notOpen();
          }
          lastId += 1;
          readers.set(lastId, { mode, snapshot: mode === 'read' && before !== null ? copyOf(sqlite, before) : null });
          return lastId;
        });
      }
      return enqueue(() => {
        lastId += 1;
        current = { id: lastId, mode, begun: false };
        return lastId;
      }, false);
    },
    end: async (id: number, commit: boolean): Promise<void> => {
      await Promise.resolve();
      end(id, commit);
    },
    interrupt: () => {
      const waiting = jobs.filter((job) => job.isStatement);
      jobs = jobs.filter((job) => !job.isStatement);
      for (const job of waiting) {
        job.reject(nativeError('Interrupted', 'interrupt() was called while this statement waited', true));
      }
    },
    /** Runs work of the fake itself when no transaction is open; nothing is captured. */
    apply: <T>(work: (connection: Connection) => T): Promise<T> => enqueue(() => atomic(false, () => work(main)), false),
    /** Reads what is committed. */
    committed: outside,
    suspend: (wanted: boolean) => {
      suspended = wanted;
      runNext();
    },
  };
}

function copyOf(sqlite: SqlJsStatic, source: Connection): Connection {
  const made = connect(sqlite, source.bytes());
  made.define('omnii_capturing', 0, () => 0);
  made.define('omnii_transaction', 0, () => 0);
  made.define('omnii_touched', 2, () => null);
  return made;
}
