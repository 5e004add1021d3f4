/** The live part of a database: everything that goes on delivering after the call. */
import { onAbort } from '../abort';
import type { Calls } from '../calls';
import type { Database } from '../database';
import { describe, isRecord } from '../describe';
import { SyncError } from '../errors';
import { reportListenerError } from '../listeners';
import type { SqlParameter } from '../parameters';
import { describeStatement } from '../prepared';
import { type QueryResult, resultOfRows, type Row } from '../queries';
import type { TableEvents } from '../tableEvents';
import { defaultRowComparator } from './comparators';
import { differentiate } from './differential';
import { createOnChange } from './onChange';
import { createStream } from './stream';
import type {
  ArrayQueryDefinition, LiveQueries, Query, SQLWatchOptions, WatchCompatibleQuery,
  WatchedQueryComparator, WatchHandler,
} from './types';
import { createWatchedQuery, type Judge, type LiveContext, plainRows } from './watchedQuery';
import { checkChangeOptions, checkHandler, checkWatchOptions } from './watchOptions';
import { applyTaken, createWatches, sameRows } from './watches';

function createQuery<RowType>(context: LiveContext, query: WatchCompatibleQuery<RowType[]>): Query<RowType> {
  return {
    watch: (options = {}) => {
      checkWatchOptions('watch', options);
      const { placeholderData = [], ...rest } = options;
      type Settings = typeof rest & { query: typeof query };
      const judge: Judge<RowType, Settings> = (next, previous, { comparator }) =>
        previous !== undefined && comparator?.checkEquality(next, previous as RowType[]) === true ? null : { data: next, diff: null };
      return createWatchedQuery(context, { ...rest, query }, placeholderData, judge);
    },
    differentialWatch: (options = {}) => {
      checkWatchOptions('differentialWatch', options);
      const { placeholderData = [], ...rest } = options;
      type Settings = typeof rest & { query: typeof query };
      const judge: Judge<RowType, Settings> = (next, previous, { rowComparator }) => {
        const comparator = rowComparator ?? (defaultRowComparator);
        const diff = differentiate(previous ?? [], next, comparator);
        if (diff !== null) {
          return { data: diff.all, diff };
        }
        return previous === undefined ? { data: next, diff: null } : null;
      };
      return createWatchedQuery(context, { ...rest, query }, placeholderData, judge);
    },
  };
}

export function createLiveQueries(
  calls: Calls,
  tables: TableEvents,
  database: () => Database
): { queries: LiveQueries; close: () => void } {
  const watches = createWatches(calls);
  const ends = new Set<{ readonly end: () => void }>();
  const onClose = (end: () => void): (() => void) => {
    const registration = { end };
    ends.add(registration);
    return () => {
      ends.delete(registration);
    };
  };
  const context: LiveContext = { calls, watches, database, onClose };

  /** One watch of SQL text. `ended`: by its signal or because the database was closed. */
  const startWatch = (
    sql: unknown,
    parameters: unknown,
    options: ReturnType<typeof checkChangeOptions>,
    told: { result: (result: QueryResult) => void; failed: (error: Error) => void; ended: () => void }
  ): (() => void) => {
    const comparator = options.comparator as WatchedQueryComparator<QueryResult> | undefined;
    let rows: object[] = [];
    let last: QueryResult | null = null;
    let over = false;
    const stopWatch = watches.start(
      { sql, parameters, throttleMs: options.throttleMs, tables: options.tables },
      {
        changed: (taken) => {
          if (taken === null) {
            return;
          }
          const before = rows;
          rows = applyTaken(rows, taken);
          if (last !== null && sameRows(rows, before)) {
            return;
          }
          const result = resultOfRows(rows as Row[]);
          try {
            if (last === null || comparator?.checkEquality(result, last) !== true) {
              last = result;
              told.result(result);
            }
          } catch (thrown) {
            reportListenerError('onResult of a watch', thrown);
          }
        },
        failed: told.failed,
      }
    );
    const stop = (): void => {
      if (!over) {
        over = true;
        stopWatch();
        forget();
        stopListening();
      }
    };
    const end = (): void => {
      stop();
      told.ended();
    };
    const forget = onClose(end);
    let stopListening = (): void => undefined;
    stopListening = onAbort(options.signal, end);
    return stop;
  };

  const watchWithCallback = (
    sql: string,
    parameters: readonly SqlParameter[] | undefined,
    handler: WatchHandler,
    given?: SQLWatchOptions
  ): (() => void) => {
    checkHandler('watch', handler, 'onResult');
    return startWatch(sql, parameters, checkChangeOptions('watch', given), {
      result: (result) => {
        handler.onResult(result);
      },
      failed: (error) => {
        if (handler.onError === undefined) {
          console.error('@omnii/sync: a watched query failed', error);
          return;
        }
        try {
          handler.onError(error);
        } catch (thrown) {
          reportListenerError('onError of a watch', thrown);
        }
      },
      ended: () => undefined,
    });
  };
  const watchWithAsyncGenerator = (
    sql: string,
    parameters?: readonly SqlParameter[],
    given?: SQLWatchOptions
  ): AsyncIterableIterator<QueryResult, undefined> => {
    const options = checkChangeOptions('watch', given);
    return createStream(
      ({ push, fail, end }) => startWatch(sql, parameters, options, { result: push, failed: fail, ended: end }),
      (_waiting, next) => next
    );
  };

  const queries: LiveQueries = {
    watch: ((
      sql: string,
      parameters?: readonly SqlParameter[],
      handlerOrOptions?: WatchHandler | SQLWatchOptions,
      options?: SQLWatchOptions
    ) =>
      isRecord(handlerOrOptions) && ('onResult' in handlerOrOptions || 'onError' in handlerOrOptions)
        ? watchWithCallback(sql, parameters, handlerOrOptions as unknown as WatchHandler, options)
        : watchWithAsyncGenerator(sql, parameters, handlerOrOptions)) as LiveQueries['watch'],
    watchWithCallback,
    watchWithAsyncGenerator,
    ...createOnChange(calls, tables, onClose),
    query: <RowType = Row>(definition: ArrayQueryDefinition<RowType>) => {
      if (!isRecord(definition) || typeof definition.sql !== 'string') {
        throw new SyncError('BadArgument', `query takes { sql, parameters?, mapper? }; got ${describe(definition)}`);
      }
      const { sql, parameters = [], mapper } = definition;
      if (mapper !== undefined && typeof mapper !== 'function') {
        throw new SyncError('BadArgument', `query: mapper must be a function; got ${describe(mapper)}`);
      }
      const compatible: WatchCompatibleQuery<RowType[]> = {
        compile: () => ({ sql, parameters }),
        execute: async () => {
          const rows = await database().getAll<Record<string, unknown>>(sql, parameters);
          return mapper === undefined ? (rows as RowType[]) : rows.map(mapper);
        },
      };
      const marked = mapper === undefined ? { [plainRows]: true } : { mapper };
      return createQuery(context, Object.assign(compatible, marked));
    },
    customQuery: (query) => {
      const given: unknown = query;
      const { compile, execute } = isRecord(given) ? given : {};
      if (typeof compile !== 'function' || typeof execute !== 'function') {
        throw new SyncError('BadArgument', `customQuery takes an object with compile and execute; got ${describe(query)}`);
      }
      return createQuery(context, query);
    },
    resolveTables: async (sql, _parameters, options) => {
      const { tables: given } = checkChangeOptions('resolveTables', options);
      return given === null ? (await describeStatement(calls, sql)).tables : [...given];
    },
  };
  return {
    queries,
    close: () => {
      for (const { end } of [...ends]) {
        end();
      }
      watches.close();
    },
  };
}
