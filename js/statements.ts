/**
 * `Queries` over whatever runs one statement. This is the path of every lookup: one `then` on the engine's promise, no
 * closure per call, and the parameters are copied only if one of them has to be converted.
 */
import type { Calls } from './calls';
import { SyncError } from './errors';
import { describe } from './describe';
import { checkParameters, checkSql, type SqlParameter, type SqlValues } from './parameters';
import {
  allRows, batchResultOf, type NativeRawResult, optionalRow, type Queries, type QueryResult, type RawQueryResult,
  rawResultOf, requiredRow, resultOf,
} from './queries';
import type { NativeResult } from './types';

/** Runs what has been checked. May throw what the promise would reject with. */
export type Statements = {
  readonly write: (sql: string, values: SqlValues) => Promise<NativeResult>;
  readonly read: (sql: string, values: SqlValues) => Promise<NativeResult>;
  readonly writeRaw: (sql: string, values: SqlValues) => Promise<NativeRawResult>;
  readonly writeBatch: (sql: string, sets: SqlValues[]) => Promise<number>;
};

/** Goes between the engine's answer and the caller. */
export type Settling = {
  /** Wraps what makes the answer of a reading or, if `writes`, of a writing statement. */
  readonly answer: <Given, Answer>(shape: (given: Given) => Answer, writes: boolean) => (given: Given) => Answer;
  /** Throws the `SyncError`. */
  readonly fail: (thrown: unknown) => never;
  readonly toError: (thrown: unknown) => SyncError;
};

function checkSets(sets: unknown): SqlValues[] {
  if (sets === undefined) {
    return [];
  }
  if (!Array.isArray(sets)) {
    throw new SyncError('BadArgument', `executeBatch takes an array of parameter arrays; got ${describe(sets)}`);
  }
  return Array.from(sets as readonly unknown[], (set, index) => {
    if (!Array.isArray(set)) {
      throw new SyncError('BadArgument', `executeBatch: parameter set ${index + 1} must be an array; got ${describe(set)}`);
    }
    return checkParameters(set);
  });
}

export function createQueries(statements: Statements, { answer, fail, toError }: Settling): Queries {
  const { read, write, writeRaw, writeBatch } = statements;
  const executed = answer(resultOf, true);
  const executedRaw = answer(rawResultOf, true);
  const executedBatch = answer(batchResultOf, true);
  const all = answer(allRows, false);
  const optional = answer(optionalRow, false);
  const required = answer(requiredRow, false);
  const run = <Answer>(
    sql: string,
    parameters: readonly SqlParameter[] | undefined,
    start: (sql: string, values: SqlValues) => Promise<NativeResult>,
    shape: (result: NativeResult) => Answer
  ): Promise<Answer> => {
    try {
      return start(checkSql(sql), checkParameters(parameters)).then(shape, fail);
    } catch (thrown) {
      return Promise.reject(toError(thrown));
    }
  };
  return {
    execute: <T>(sql: string, parameters?: readonly SqlParameter[]) =>
      run(sql, parameters, write, executed as (result: NativeResult) => QueryResult<T>),
    executeRaw: (sql, parameters): Promise<RawQueryResult> => {
      try {
        return writeRaw(checkSql(sql), checkParameters(parameters)).then(executedRaw, fail);
      } catch (thrown) {
        return Promise.reject(toError(thrown));
      }
    },
    executeBatch: (sql, parameterSets) => {
      try {
        return writeBatch(checkSql(sql), checkSets(parameterSets)).then(executedBatch, fail);
      } catch (thrown) {
        return Promise.reject(toError(thrown));
      }
    },
    getAll: <T>(sql: string, parameters?: readonly SqlParameter[]) =>
      run(sql, parameters, read, all as (result: NativeResult) => T[]),
    getOptional: <T>(sql: string, parameters?: readonly SqlParameter[]) =>
      run(sql, parameters, read, optional as (result: NativeResult) => T | null),
    get: <T>(sql: string, parameters?: readonly SqlParameter[]) =>
      run(sql, parameters, read, required as (result: NativeResult) => T),
  };
}

/** Statements on the database itself: writes wait for transactions, reads run beside them. `seen` hears of each read. */
export function createDatabaseQueries(
  { native, databaseId, gate, snapshot, isOpen, closedError, toError }: Calls,
  seen: () => void
): Queries {
  const requireOpen = (): void => {
    if (!isOpen()) {
      throw closedError();
    }
  };
  return createQueries(
    {
      read: (sql, values) => {
        requireOpen();
        seen();
        return native.query(databaseId, sql, values) as Promise<NativeResult>;
      },
      write: (sql, values) => {
        requireOpen();
        if (gate.free) {
          return native.execute(databaseId, 0, sql, values) as Promise<NativeResult>;
        }
        // The app may change its array while the call waits.
        const copy = [...values];
        return gate.enter('statement', () => native.execute(databaseId, 0, sql, copy) as Promise<NativeResult>);
      },
      writeRaw: (sql, values) => {
        requireOpen();
        const copy = [...values];
        return gate.enter('statement', () => native.executeRaw(databaseId, 0, sql, copy) as Promise<NativeRawResult>);
      },
      writeBatch: (sql, sets) => {
        requireOpen();
        const copies = gate.free ? sets : sets.map((set) => [...set]);
        return gate.enter('statement', () => native.executeBatch(databaseId, 0, sql, copies));
      },
    },
    {
      answer: (shape, writes) =>
        writes
          ? (given) => {
              snapshot.expire();
              return shape(given);
            }
          : shape,
      fail: (thrown) => {
        throw toError(thrown);
      },
      toError,
    }
  );
}
