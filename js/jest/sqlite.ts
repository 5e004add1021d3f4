/**
 * One in-memory SQLite connection of sql.js: runs statements into the shapes and errors of the native module. Knows neither
 * the schema nor transactions of the app. All of it is synchronous.
 */
import initSqlJs, { type Database as SqlJs, type SqlJsStatic } from 'sql.js';
import type { NativeResult } from '../types';
import { nativeError } from './nativeError';
import { type BindValue, findMarks, prepareParameters } from './parameters';

export type Cell = null | number | bigint | string | ArrayBuffer;

/** What a statement is. */
export type Explained = { readonly tables: string[]; readonly readOnly: boolean; readonly parameters: number; readonly columnNames: string[] };

export type RawResult = Omit<NativeResult, 'rows'> & { rows: Cell[][] };

export type Connection = {
  /** Runs one statement to its end. `integers`: what becomes of integers beyond ±(2^53 − 1). */
  run: (sql: string, parameters: readonly unknown[], integers?: 'bigint' | 'error') => RawResult;
  /** Runs text of our own; several statements are possible. */
  script: (sql: string) => void;
  explain: (sql: string) => Explained;
  /** An SQL function. sql.js takes the number of arguments from the length of what it is given. */
  define: (name: string, length: number, implementation: (...values: unknown[]) => unknown) => void;
  /** Called with the table of every row that changes. */
  onChange: (listener: (table: string) => void) => void;
  /** The whole file. */
  bytes: () => Uint8Array;
  close: () => void;
};

let loading: Promise<SqlJsStatic> | undefined;

/** Loads SQLite's WASM, once. */
export function loadSqlite(): Promise<SqlJsStatic> {
  loading ??= initSqlJs();
  return loading;
}

const codes: Readonly<Record<number, string>> = { 19: 'Constraint', 20: 'Constraint', 13: 'DiskFull', 18: 'TooLarge', 25: 'BadArgument' };

function cellOf(value: unknown, column: string, integers: 'bigint' | 'error'): Cell {
  if (typeof value === 'bigint') {
    const number = Number(value);
    if (Number.isSafeInteger(number)) {
      return number;
    }
    if (integers === 'error') {
      throw nativeError('OutOfRange', `column '${column}' holds an integer beyond ±(2^53 − 1)`);
    }
    return value;
  }
  return value instanceof Uint8Array ? value.slice().buffer : (value as Cell);
}

export function connect(sqlite: SqlJsStatic, content?: Uint8Array): Connection {
  const db = new sqlite.Database(content) as Omit<SqlJs, 'handleError'> & { handleError: (code: number) => null };
  const errorOf = db.handleError.bind(db);
  db.handleError = (code) => {
    try {
      return errorOf(code);
    } catch (thrown) {
      throw nativeError(codes[code & 0xff] ?? 'Sql', thrown instanceof Error ? thrown.message : String(thrown));
    }
  };
  const explained = new Map<string, Explained>();
  let listener: ((table: string) => void) | null = null;
  db.updateHook((_operation, _database, table) => {
    listener?.(table);
  });

  /** Prepares exactly one statement. */
  const prepare = (sql: string) => {
    if (sql.includes('\0')) {
      throw nativeError('BadArgument', 'the SQL text has a NUL character; bind it as a parameter');
    }
    const parts = db.iterateStatements(sql);
    const first = parts.next();
    if (first.done) {
      throw nativeError('BadArgument', 'the SQL text holds no statement');
    }
    const rest = parts.getRemainingSQL().replace(/--[^\n]*|\/\*[\s\S]*?\*\//g, '');
    (parts as { return?: () => void }).return?.();
    if (/[^\s;]/.test(rest)) {
      throw nativeError('BadArgument', 'one statement at a time; send the next one by its own call');
    }
    return db.prepare(sql);
  };

  const scalar = (sql: string, values: BindValue[] = []): unknown => db.exec(sql, values)[0]?.values[0]?.[0];

  const run: Connection['run'] = (sql, parameters, integers = 'bigint') => {
    const { marks, count } = findMarks(sql);
    const prepared = prepareParameters(sql, marks, parameters);
    const statement = prepare(prepared.sql);
    try {
      if (count !== parameters.length) {
        throw nativeError('BadArgument', `the statement has ${count} parameters, ${parameters.length} were given`);
      }
      const before = { changes: scalar('SELECT total_changes()'), rowid: scalar('SELECT last_insert_rowid()') };
      statement.bind(prepared.values);
      const columnNames = statement.getColumnNames();
      const rows: Cell[][] = [];
      while (statement.step()) {
        const cells = (statement.get as (p: null, o: object) => unknown[]).call(statement, null, { useBigInt: true });
        rows.push(cells.map((cell, index) => cellOf(cell, columnNames[index] ?? '', integers)));
      }
      const rowsAffected = scalar('SELECT total_changes()') === before.changes ? 0 : db.getRowsModified();
      const rowid = scalar('SELECT last_insert_rowid()');
      const inserted = rowsAffected > 0 && (/^\s*(insert|replace)\b/i.test(sql) || rowid !== before.rowid);
      return { columnNames, rows, rowsAffected, ...(inserted ? { insertId: rowid as number } : {}) };
    } finally {
      statement.free();
      if (/^\s*(create|drop|alter)\b/i.test(sql)) {
        explained.clear();
      }
    }
  };

  const explain = (sql: string): Explained => {
    const known = explained.get(sql);
    if (known !== undefined) {
      return known;
    }
    const statement = prepare(sql);
    const columnNames = statement.getColumnNames();
    statement.free();
    const tables = new Set<string>();
    let readOnly = !/^\s*(vacuum|attach|detach|reindex)\b/i.test(sql);
    for (const [, opcode, , p2, p3] of db.exec(`EXPLAIN ${sql}`)[0]?.values ?? []) {
      if (opcode === 'Transaction' && p2 !== 0) {
        readOnly = false;
      }
      if ((opcode === 'OpenRead' || opcode === 'OpenWrite') && p3 === 0) {
        const name = scalar('SELECT tbl_name FROM sqlite_schema WHERE rootpage = ?', [p2 as number]);
        if (typeof name === 'string' && !/^(omnii|sqlite)_/i.test(name)) {
          tables.add(name);
        }
      }
    }
    const found = { tables: [...tables].sort(), readOnly, parameters: findMarks(sql).count, columnNames };
    explained.set(sql, found);
    return found;
  };

  return {
    run,
    script: (sql) => {
      db.run(sql);
      explained.clear();
    },
    explain,
    define: (name, length, implementation) => {
      db.create_function(name, Object.defineProperty((...values: unknown[]) => implementation(...values), 'length', { value: length }));
    },
    onChange: (next) => {
      listener = next;
    },
    bytes: () => db.export(),
    close: () => {
      db.close();
    },
  };
}

/** Rows as objects, as the native module gives them: of columns of one name the last one wins. */
export function objectsOf({ columnNames, rows }: Pick<RawResult, 'columnNames' | 'rows'>): Record<string, Cell>[] {
  return rows.map((cells) => Object.fromEntries(columnNames.map((name, index) => [name, cells[index] ?? null])));
}
