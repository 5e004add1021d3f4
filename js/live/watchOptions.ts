/** Checks what live queries are given. Throws `BadArgument`: a wrong option is a mistake in the code, not in the data. */
import { checkSignal, type AbortSignalLike } from '../abort';
import { describe, isRecord } from '../describe';
import { SyncError } from '../errors';

/** PowerSync's. */
export const defaultThrottleMs = 30;
const maxThrottleMs = 86_400_000;

function refuse(method: string, what: string, given: unknown): never {
  const got = typeof given === 'number' ? String(given) : describe(given);
  throw new SyncError('BadArgument', `${method}: ${what}; got ${got}`);
}

function record(method: string, given: unknown): Record<string, unknown> {
  if (given === undefined || given === null) {
    return {};
  }
  return isRecord(given) ? given : refuse(method, 'the options must be an object', given);
}

function checkThrottle(method: string, given: unknown): void {
  if (given !== undefined && (typeof given !== 'number' || !(given >= 0 && given <= maxThrottleMs))) {
    refuse(method, `throttleMs must be a number from 0 to ${maxThrottleMs}`, given);
  }
}

function checkTables(method: string, name: string, given: unknown): void {
  if (given !== undefined && given !== null && !(Array.isArray(given) && given.every((each) => typeof each === 'string'))) {
    refuse(method, `${name} must be an array of table names`, given);
  }
}

function checkFunctions(method: string, name: string, given: unknown, functions: readonly string[]): void {
  if (given !== undefined && !functions.every((each) => typeof (given as Record<string, unknown> | null)?.[each] === 'function')) {
    refuse(method, `${name} must be an object with ${functions.join(' and ')}`, given);
  }
}

/** Those of `watch()`, `differentialWatch()` and `updateSettings()`. Unknown ones are ignored, as a mixed screen may pass more. */
export function checkWatchOptions(method: string, given: unknown): void {
  const { throttleMs, triggerOnTables, comparator, rowComparator, placeholderData, query } = record(method, given);
  checkThrottle(method, throttleMs);
  checkTables(method, 'triggerOnTables', triggerOnTables);
  checkFunctions(method, 'comparator', comparator, ['checkEquality']);
  checkFunctions(method, 'rowComparator', rowComparator, ['keyBy', 'compareBy']);
  checkFunctions(method, 'query', query, ['compile', 'execute']);
  if (placeholderData !== undefined && !Array.isArray(placeholderData)) {
    refuse(method, 'placeholderData must be an array', placeholderData);
  }
}

export type CheckedChangeOptions = {
  readonly signal: AbortSignalLike | undefined;
  readonly tables: readonly string[] | null;
  readonly throttleMs: number;
  readonly triggerImmediate: boolean;
  readonly comparator: unknown;
};

/** Those of `watch(sql, …)` and `onChange`. */
export function checkChangeOptions(method: string, given: unknown): CheckedChangeOptions {
  const { signal, tables, throttleMs, triggerImmediate, comparator } = record(method, given);
  checkThrottle(method, throttleMs);
  checkTables(method, 'tables', tables);
  checkFunctions(method, 'comparator', comparator, ['checkEquality']);
  return {
    signal: checkSignal(method, signal ?? undefined),
    tables: (tables as readonly string[] | null | undefined) ?? null,
    throttleMs: (throttleMs as number | undefined) ?? defaultThrottleMs,
    triggerImmediate: triggerImmediate === true,
    comparator,
  };
}

/** A handler with that callback, and `onError` if it likes. */
export function checkHandler(method: string, given: unknown, callback: string): void {
  checkFunctions(method, 'the handler', given ?? null, [callback]);
  const onError = (given as { onError?: unknown }).onError;
  if (onError !== undefined && typeof onError !== 'function') {
    refuse(method, 'onError must be a function', onError);
  }
}
