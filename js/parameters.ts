/** SQL text and parameters on their way to the engine: checked here, so that the message can name the parameter. */
import { describe } from './describe';
import { SyncError } from './errors';

/** A value as results hold it. Integers beyond ±(2^53 − 1) are `bigint`, blobs `ArrayBuffer`, NULL is null. */
export type SqlValue = null | number | bigint | string | ArrayBuffer;

/** A value as parameters take it. Booleans are stored as 0 and 1; a view (`Uint8Array`, …) as the bytes it shows. */
export type SqlParameter = SqlValue | boolean | ArrayBufferView;

const int64 = { min: -9223372036854775808n, max: 9223372036854775807n };

function refuse(message: string): never {
  throw new SyncError('BadArgument', message);
}

function bytesOf(view: ArrayBufferView): ArrayBuffer {
  const bytes = new Uint8Array(view.byteLength);
  bytes.set(new Uint8Array(view.buffer, view.byteOffset, view.byteLength));
  return bytes.buffer;
}

const advice: Readonly<Record<string, string>> = {
  undefined: 'use null',
  'a Date': 'use date.toISOString()',
  'an array': 'use JSON.stringify(value)',
  'an object': 'use JSON.stringify(value)',
  NaN: 'SQLite has no NaN; use null',
};

function checkParameter(value: unknown, index: number): SqlValue | boolean {
  if (value instanceof ArrayBuffer) {
    return value;
  }
  if (ArrayBuffer.isView(value)) {
    return bytesOf(value);
  }
  if (typeof value === 'bigint') {
    if (value < int64.min || value > int64.max) {
      refuse(`SQL parameter ${index + 1} is a bigint that does not fit into 64 bits`);
    }
    return value;
  }
  if (value === null || typeof value === 'string' || typeof value === 'boolean') {
    return value;
  }
  if (typeof value === 'number' && !Number.isNaN(value)) {
    return value;
  }
  const got = describe(value);
  const hint = advice[got];
  return refuse(`SQL parameter ${index + 1} is ${got}${hint === undefined ? ', which SQLite can not store' : `; ${hint}`}`);
}

/** Parameters as the engine takes them: the app's own array if nothing had to be converted, so never to be changed. */
export type SqlValues = readonly (SqlValue | boolean)[];

const none: SqlValues = Object.freeze([]);

/** Throws `SyncError{code: 'BadArgument'}` unless `sql` is text with something in it. */
export function checkSql(sql: unknown): string {
  // Nearly every statement begins with a letter; only the others are looked through.
  if (typeof sql !== 'string' || sql === '' || (sql.charCodeAt(0) <= 32 && sql.trim() === '')) {
    refuse(`the SQL statement must be a non-empty string; got ${describe(sql)}`);
  }
  return sql;
}

/** Throws `SyncError{code: 'BadArgument'}` naming the position, from 1. */
export function checkParameters(parameters: unknown): SqlValues {
  if (parameters === undefined) {
    return none;
  }
  if (!Array.isArray(parameters)) {
    refuse(`SQL parameters must be an array; got ${describe(parameters)}`);
  }
  const given = parameters as readonly unknown[];
  for (let index = 0; index < given.length; index++) {
    const value = given[index];
    if (typeof value !== 'string' && value !== null && checkParameter(value, index) !== value) {
      return Array.from(given, checkParameter);
    }
  }
  return given as SqlValues;
}
