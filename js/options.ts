/** Checks what `openDatabase` is given, before anything native is touched. */
import type { SyncConnector } from './connector';
import { describe, isRecord } from './describe';
import { checkKey, type EncryptionKey } from './encryption';
import { SyncError } from './errors';
import { Schema } from './schema';
import type { NativeOpenOptions, SyncOptions } from './types';

/** What `openDatabase` takes. */
export type OpenOptions<S extends Schema = Schema> = {
  /** The app's tables. */
  schema: S;
  /** Whose data this is; each user has a file of their own. Not empty. */
  userId: string;
  /** Where credentials come from. */
  connector: SyncConnector;
  /** Folder of the file, made if missing. Default: the app's own database folder. */
  directory?: string | null | undefined;
  /** Name of the file, without a path. Default: derived from a hash of `userId`. */
  filename?: string | null | undefined;
  /** How to sync; see {@link SyncOptions}. */
  sync?: SyncOptions | undefined;
  /**
   * What becomes of integers beyond ±(2^53 − 1) in results: `bigint` (default), or `error`: the statement rejects with
   * `OutOfRange`.
   */
  bigIntegers?: 'bigint' | 'error' | undefined;
  /**
   * A database file of PowerSync whose rows and pending uploads are to be taken in: a name in `directory`, or an absolute
   * path. Once, and only into a database that is still empty; no such file: nothing happens. It must be this user's file,
   * PowerSync must have closed it, and it is never changed or deleted. Rejects with `ImportFailed`, nothing being changed, if
   * it can't be taken in. `getImportResult()` says what came of it.
   */
  importFrom?: string | null | undefined;
  /**
   * Encrypts the file: 32 bytes, or a passphrase. A file that is plain is encrypted when it is first given; from then on it
   * is needed each time (`WrongKey`). Needs a build of the engine with SQLCipher (`Unsupported` otherwise). Left out: the file is
   * plain. null, which is what key stores answer when they have none, is refused: it must not open a plain file.
   */
  encryptionKey?: EncryptionKey | undefined;
};

const day = 86_400_000;
const syncRanges: Record<keyof SyncOptions, readonly [min: number, max: number]> = {
  pollIntervalMs: [10, day],
  idlePollIntervalMs: [10, day],
  backgroundPollIntervalMs: [10, day],
  uploadThrottleMs: [0, day],
  overlapMs: [0, day],
  pageLimit: [1, 5000],
  requestTimeoutMs: [10, day],
  credentialsTimeoutMs: [10, day],
  maxBackoffMs: [10, day],
  reconcileIntervalMs: [10, 30 * day],
  stallTimeoutMs: [10, day],
};
const known: readonly string[] = ['schema', 'userId', 'connector', 'directory', 'filename', 'sync', 'bigIntegers', 'importFrom', 'encryptionKey'];

function refuse(message: string): never {
  throw new SyncError('InvalidOptions', message);
}

function checkUnknown(where: string, given: Record<string, unknown>, names: readonly string[]): void {
  const stray = Object.keys(given).find((name) => !names.includes(name));
  if (stray !== undefined) {
    refuse(`unknown option '${where}${stray}'; there are ${names.join(', ')}`);
  }
}

function optionalText(name: string, value: unknown): string | null {
  if (value === undefined || value === null) {
    return null;
  }
  if (typeof value !== 'string' || value.trim() === '') {
    refuse(`option '${name}' must be a non-empty string or left out; got ${describe(value)}`);
  }
  if (value.includes('\0')) {
    refuse(`option '${name}' holds a NUL character`);
  }
  return value;
}

function checkFilename(value: unknown): string | null {
  const filename = optionalText('filename', value);
  if (filename !== null && (/[/\\]/.test(filename) || filename === '.' || filename === '..')) {
    refuse("option 'filename' must be a name without a path; give the folder as 'directory'");
  }
  return filename;
}

function checkSync(value: unknown): SyncOptions {
  if (value === undefined) {
    return {};
  }
  if (!isRecord(value)) {
    refuse(`option 'sync' must be an object like { pollIntervalMs: 30000 }; got ${describe(value)}`);
  }
  checkUnknown('sync.', value, Object.keys(syncRanges));
  const sync: SyncOptions = {};
  for (const name of Object.keys(syncRanges) as (keyof SyncOptions)[]) {
    const given = value[name];
    const [min, max] = syncRanges[name];
    if (given === undefined) {
      continue;
    }
    if (typeof given !== 'number' || !Number.isInteger(given) || given < min || given > max) {
      const got = typeof given === 'number' ? String(given) : describe(given);
      refuse(`option 'sync.${name}' must be a whole number from ${min} to ${max}; got ${got}`);
    }
    sync[name] = given;
  }
  return sync;
}

function checkBigIntegers(value: unknown): 'bigint' | 'error' | undefined {
  if (value !== undefined && value !== 'bigint' && value !== 'error') {
    refuse(`option 'bigIntegers' must be 'bigint', 'error' or left out; got ${describe(value)}`);
  }
  return value;
}

/** The options as the engine takes them. Throws `SyncError{code: 'InvalidOptions'}` naming the option and what was got. */
export function checkOpenOptions(given: unknown): {
  native: NativeOpenOptions;
  schema: Schema;
  connector: SyncConnector;
} {
  if (!isRecord(given)) {
    refuse(`openDatabase takes an object { schema, userId, connector, … }; got ${describe(given)}`);
  }
  checkUnknown('', given, known);
  const { schema, userId, connector } = given;
  if (!(schema instanceof Schema)) {
    refuse(`option 'schema' must be made by new Schema({ … }); got ${describe(schema)}`);
  }
  if (typeof userId !== 'string' || userId.trim() === '') {
    refuse(`option 'userId' must be a non-empty string; got ${describe(userId)}`);
  }
  if (!isRecord(connector) || typeof connector['fetchCredentials'] !== 'function') {
    const got = isRecord(connector) ? 'an object without fetchCredentials()' : describe(connector);
    refuse(`option 'connector' must be an object with fetchCredentials(); got ${got}`);
  }
  const { uploadData } = connector;
  if (uploadData !== undefined && typeof uploadData !== 'function') {
    refuse(`option 'connector': uploadData must be a function or left out; got ${describe(uploadData)}`);
  }
  const bigIntegers = checkBigIntegers(given['bigIntegers']);
  const importFrom = optionalText('importFrom', given['importFrom']);
  const key = given['encryptionKey'];
  const encryptionKey = key === undefined ? undefined : checkKey('InvalidOptions', "option 'encryptionKey'", key);
  return {
    native: {
      schema: schema.toJSON(),
      userId,
      directory: optionalText('directory', given['directory']),
      filename: checkFilename(given['filename']),
      sync: checkSync(given['sync']),
      ...(uploadData === undefined ? {} : { customUpload: true }),
      ...(bigIntegers === undefined ? {} : { bigIntegers }),
      ...(importFrom === null ? {} : { importFrom }),
      ...(encryptionKey === undefined ? {} : { encryptionKey }),
    },
    schema: schema as Schema,
    connector: connector as unknown as SyncConnector,
  };
}
