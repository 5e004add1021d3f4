/** Assertions in the manner of `node:assert/strict`, for scripts in the host. */

export class AssertionError extends Error {
  override name = 'AssertionError';
}

type Expected = RegExp | string | ((error: unknown) => boolean | void) | Record<string, unknown>;

function show(value: unknown): string {
  return (
    JSON.stringify(
      value,
      (_key, part: unknown) =>
        part === undefined
          ? '(undefined)'
          : typeof part === 'bigint'
            ? `${part}n`
            : part instanceof Map || part instanceof Set
              ? [...part]
              : part,
      1,
    ) ?? String(value)
  ).replace(/\n\s*/g, ' ');
}

function fail(message: string | undefined, fallback: string): never {
  throw new AssertionError(message === undefined ? fallback : `${message}: ${fallback}`);
}

function same(a: unknown, b: unknown): boolean {
  if (Object.is(a, b)) return true;
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false;
  if (Object.getPrototypeOf(a) !== Object.getPrototypeOf(b)) return false;
  if (a instanceof Date) return a.getTime() === (b as Date).getTime();
  if (a instanceof Map || a instanceof Set) return same([...a], [...(b as Map<unknown, unknown>)]);
  if (a instanceof ArrayBuffer) return same([...new Uint8Array(a)], [...new Uint8Array(b as ArrayBuffer)]);
  if (a instanceof Error && (a.message !== (b as Error).message || a.name !== (b as Error).name)) return false;
  const keys = Object.keys(a);
  return (
    keys.length === Object.keys(b).length &&
    keys.every(
      (key) =>
        Object.hasOwn(b, key) && same((a as Record<string, unknown>)[key], (b as Record<string, unknown>)[key]),
    )
  );
}

/** Whether an error is the expected one: its message, some of its fields, or whatever the function says. */
function check(error: unknown, expected: Expected | undefined, message: string | undefined): void {
  if (expected === undefined) return;
  const text = error instanceof Error ? error.message : String(error);
  if (typeof expected === 'string') {
    if (!text.includes(expected)) fail(message, `${show(text)} does not contain ${show(expected)}`);
  } else if (expected instanceof RegExp) {
    if (!expected.test(text)) fail(message, `${show(text)} does not match ${expected}`);
  } else if (typeof expected === 'function') {
    if (expected(error) === false) fail(message, `not the expected error: ${show(text)}`);
  } else {
    for (const [key, value] of Object.entries(expected)) {
      const actual = (error as Record<string, unknown>)[key];
      const matches = value instanceof RegExp ? value.test(String(actual)) : same(actual, value);
      if (!matches) fail(message, `the error's ${key} is ${show(actual)}, not ${value instanceof RegExp ? value : show(value)} (${text})`);
    }
  }
}

function ok(value: unknown, message?: string): asserts value {
  if (!value) fail(message, `${show(value)} is not true`);
}

function equal<T>(actual: unknown, expected: T, message?: string): asserts actual is T {
  if (!Object.is(actual, expected)) fail(message, `${show(actual)} is not ${show(expected)}`);
}

function deepEqual<T>(actual: unknown, expected: T, message?: string): asserts actual is T {
  if (!same(actual, expected)) fail(message, `${show(actual)} is not deeply ${show(expected)}`);
}

function match(actual: string, expected: RegExp, message?: string): void {
  if (!expected.test(actual)) fail(message, `${show(actual)} does not match ${expected}`);
}

function throws(body: () => unknown, expected?: Expected, message?: string): void {
  try {
    body();
  } catch (error) {
    check(error, expected, message);
    return;
  }
  fail(message, 'nothing was thrown');
}

/** Awaits the promise, or what the function answers; it must reject as expected. Answers the error. */
async function rejects(
  promise: Promise<unknown> | (() => Promise<unknown>),
  expected?: Expected,
  message?: string,
): Promise<unknown> {
  try {
    await (typeof promise === 'function' ? promise() : promise);
  } catch (error) {
    check(error, expected, message);
    return error;
  }
  return fail(message, 'the promise did not reject');
}

interface Assert {
  ok(value: unknown, message?: string): asserts value;
  equal<T>(actual: unknown, expected: T, message?: string): asserts actual is T;
  deepEqual<T>(actual: unknown, expected: T, message?: string): asserts actual is T;
  match(actual: string, expected: RegExp, message?: string): void;
  throws(body: () => unknown, expected?: Expected, message?: string): void;
  rejects: typeof rejects;
}

export const assert: Assert = { ok, equal, deepEqual, match, throws, rejects };
