/** Checks of arguments that several methods take. Everything is taken as unknown: apps also come in plain JavaScript. */
import { describe, isRecord } from './describe';
import { SyncError } from './errors';

/** Longest time a method may be told to wait: 24 hours. */
const maxTimeoutMs = 86_400_000;

/** An options object, all of whose options may be left out. Throws `BadArgument` naming the option that is not known. */
export function checkOptions(method: string, given: unknown, names: readonly string[]): Record<string, unknown> {
  if (given === undefined) {
    return {};
  }
  if (!isRecord(given)) {
    throw new SyncError('BadArgument', `${method} takes { ${names.join(', ')} } or nothing; got ${describe(given)}`);
  }
  const stray = Object.keys(given).find((name) => !names.includes(name));
  if (stray !== undefined) {
    throw new SyncError('BadArgument', `${method}: unknown option '${stray}'; there are ${names.join(', ')}`);
  }
  return given;
}

/** Whole milliseconds from 0 to 24 hours. Throws `BadArgument`. */
export function checkTimeoutMs(method: string, given: unknown): number {
  if (typeof given !== 'number' || !Number.isInteger(given) || given < 0 || given > maxTimeoutMs) {
    const got = typeof given === 'number' ? String(given) : describe(given);
    throw new SyncError('BadArgument', `${method}: timeoutMs must be a whole number from 0 to ${maxTimeoutMs}; got ${got}`);
  }
  return given;
}
