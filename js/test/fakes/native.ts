/**
 * A FAKE of the native module, for the parts of js/ that are about JavaScript only: ordering, snapshots, messages. It
 * knows no SQL and no network. The real module is tested in ../hermes on Hermes.
 */
import type { CodegenTypes } from 'react-native';
import type {
  NativeCredentialsEvent, NativeStatusEvent, NativeTablesEvent, NativeUploadEvent, NativeWatchEvent, Spec,
} from '../../NativeOmniiSync';
import type { NativeCrudEntry, NativeOpenOptions, NativeResult, NativeStatus } from '../../types';

export const idleStatus: NativeStatus = {
  status: 'offline',
  connected: false,
  connecting: false,
  uploading: false,
  downloading: false,
  pendingChanges: 0,
  parkedChanges: 0,
  hasSynced: false,
  lastSyncedAt: null,
  lastReconciledAt: null,
  refusedRows: 0,
  nextRetryAt: null,
  error: null,
};

/** What the C++ module rejects with: an Error that carries code and retryable. */
export function nativeError(code: string, message: string, retryable = false): Error {
  return Object.assign(new Error(message), { code, retryable });
}

/** One watch as `watch` was given it, and what `takeWatched` answers next. */
type FakeWatch = {
  sql: string;
  params: unknown;
  options: { throttleMs: number; tables: string[] | null };
  taken: { rows: object[]; kept: number[] | null } | null;
};

type Answer = { credentials: string; error: string };
type Method = Exclude<keyof Spec, `on${string}` | 'getConstants' | 'getStatus' | 'provideCredentials' | 'querySync' | 'takeWatched' | 'unwatch' | 'setTableEvents' | 'finishUpload'>;

function createEmitter<T>() {
  const handlers = new Set<(event: T) => unknown>();
  return {
    // Of a subscription only `remove` exists on the C++ side, whatever its type says.
    subscribe: ((handler: (event: T) => unknown) => {
      handlers.add(handler);
      return { remove: () => handlers.delete(handler) };
    }) as unknown as CodegenTypes.EventEmitter<T>,
    emit: (event: T) => {
      for (const handler of [...handlers]) {
        handler(event);
      }
    },
    count: () => handlers.size,
  };
}

function createFake() {
  let lastId = 0;
  let lastRequest = 0;
  let lastWatch = 0;
  const files = new Map<number, string>();
  const options = new Map<number, NativeOpenOptions>();
  const statuses = new Map<number, NativeStatus>();
  const answers = new Map<number, (answer: Answer) => void>();
  const finished = new Map<number, (error: string) => void>();
  const status = createEmitter<NativeStatusEvent>();
  const tables = createEmitter<NativeTablesEvent>();
  const watches = createEmitter<NativeWatchEvent>();
  const uploads = createEmitter<NativeUploadEvent>();
  const credentials = createEmitter<NativeCredentialsEvent>();

  const fake = {
    /** `method` or `method(id, …)` in the order of the calls. */
    log: [] as string[],
    /** Makes the next call of a method wait for the promise. */
    hold: {} as Partial<Record<Method, Promise<unknown>>>,
    /** Makes the next call of a method fail. */
    fail: {} as Partial<Record<Method, Error>>,
    /** What `execute` and `query` answer. */
    onSql: (() => ({})) as (sql: string, params: readonly unknown[]) => Partial<NativeResult>,
    /** The modes given to `begin`, in the order of the calls. */
    begun: [] as string[],
    /** What `describe` answers. */
    description: { tables: [] as string[], readOnly: true, parameters: 0, columnNames: [] as string[] },
    /** The watches that run. */
    watches: new Map<number, FakeWatch>(),
    /** The newest result of a watch, announced as the engine does. `kept` as `takeWatched` has it. */
    deliver: (id: number, watchId: number, rows: object[], kept: number[] | null = null) => {
      const watch = fake.watches.get(watchId);
      if (watch !== undefined) {
        watch.taken = { rows, kept };
        watches.emit({ databaseId: id, watchId, error: '' });
      }
    },
    /** A watch fails, or (code '') its old result is good again. */
    failWatch: (id: number, watchId: number, code: string, message: string) => {
      const error = code === '' ? '' : JSON.stringify({ code, message, retryable: false });
      watches.emit({ databaseId: id, watchId, error });
    },
    /** What is pending. */
    crud: [] as NativeCrudEntry[],
    /** Asks the app to upload, as the engine does; resolves with what `finishUpload` was given. */
    requestUpload: (id: number) =>
      new Promise<string>((resolve) => {
        const requestId = ++lastRequest;
        finished.set(requestId, resolve);
        uploads.emit({ databaseId: id, requestId });
      }),
    /** What `setTableEvents` was told last. */
    tableEvents: false,
    /** What `getParkedChanges` answers. */
    parked: [] as unknown[],
    /** All of them for '', else as many as there are ids. */
    parkedCount: (ids: string): number => (ids === '' ? fake.parked : (JSON.parse(ids) as unknown[])).length,
    openIds: () => [...files.keys()],
    optionsOf: (id: number) => options.get(id),
    subscriptions: () => status.count() + tables.count() + watches.count() + uploads.count() + credentials.count(),
    setStatus: (id: number, change: Partial<NativeStatus>, announce = true) => {
      const next = { ...(statuses.get(id) ?? idleStatus), ...change };
      statuses.set(id, next);
      if (announce) {
        status.emit({ databaseId: id, status: JSON.stringify(next) });
      }
    },
    announceStale: (id: number) => {
      status.emit({ databaseId: id, status: JSON.stringify(idleStatus) });
    },
    changeTables: (id: number, names: string[], rowIds: Record<string, string[]> = {}) => {
      tables.emit({ databaseId: id, tables: names, rowIds: JSON.stringify(rowIds) });
    },
    /** Asks as the engine does; resolves with what `provideCredentials` was given. */
    requestCredentials: (id: number) =>
      new Promise<Answer>((resolve) => {
        const requestId = ++lastRequest;
        answers.set(requestId, resolve);
        credentials.emit({ databaseId: id, requestId });
      }),
    unanswered: () => answers.size,
  };

  const call = async <T>(method: Method, id: number | null, work: () => T, ...more: (string | number)[]): Promise<T> => {
    fake.log.push(id === null ? method : `${method}(${[id, ...more].join(', ')})`);
    const held = fake.hold[method];
    if (held !== undefined) {
      Reflect.deleteProperty(fake.hold, method);
      await held;
    }
    await Promise.resolve();
    const failure = fake.fail[method];
    if (failure !== undefined) {
      Reflect.deleteProperty(fake.fail, method);
      throw failure;
    }
    if (id !== null && !files.has(id)) {
      throw nativeError('NotOpen', `no database ${id}`);
    }
    return work();
  };
  const sql = (text: string, params: object): NativeResult => ({
    columnNames: [],
    rows: [],
    rowsAffected: 0,
    ...fake.onSql(text, params as readonly unknown[]),
  });

  const native: Spec = {
    open: (json) =>
      call('open', null, () => {
        const given = JSON.parse(json) as NativeOpenOptions;
        const file = JSON.stringify([given.directory, given.filename, given.userId]);
        if ([...files.values()].includes(file)) {
          throw nativeError('AlreadyOpen', 'this file is open already; close it first');
        }
        lastId += 1;
        files.set(lastId, file);
        options.set(lastId, given);
        statuses.set(lastId, idleStatus);
        return lastId;
      }),
    close: (id) =>
      call('close', id, () => {
        files.delete(id);
      }),
    execute: (id, tx, text, params) => call('execute', id, () => sql(tx === 0 ? text : `[${tx}] ${text}`, params)),
    query: (id, text, params) => call('query', id, () => sql(text, params)),
    executeRaw: (id, tx, text, params) => call('executeRaw', id, () => sql(tx === 0 ? text : `[${tx}] ${text}`, params)),
    executeBatch: (id, tx, text, sets) =>
      call('executeBatch', id, () => sql(tx === 0 ? text : `[${tx}] ${text}`, sets).rowsAffected),
    querySync: (id, text, params) => {
      fake.log.push(`querySync(${id})`);
      return sql(text, params);
    },
    describe: (id) => call('describe', id, () => JSON.stringify(fake.description)),
    interrupt: (id) => call('interrupt', id, () => undefined),
    watch: (id, text, params, json) =>
      call('watch', id, () => {
        lastWatch += 1;
        const given = JSON.parse(json) as FakeWatch['options'];
        fake.watches.set(lastWatch, { sql: text, params, options: given, taken: null });
        return lastWatch;
      }),
    takeWatched: (_id, watchId) => {
      const watch = fake.watches.get(watchId);
      const taken = watch?.taken ?? null;
      if (watch !== undefined) {
        watch.taken = null;
      }
      return taken;
    },
    unwatch: (id, watchId) => {
      fake.log.push(`unwatch(${id}, ${watchId})`);
      fake.watches.delete(watchId);
    },
    setTableEvents: (_id, wanted) => {
      fake.tableEvents = wanted;
    },
    clear: (id) => call('clear', id, () => undefined),
    getCrud: (id, json) =>
      call('getCrud', id, () => {
        const { after, transactions, entries } = JSON.parse(json) as { after: number | null; transactions: number; entries: number };
        const left = fake.crud.filter((entry) => after === null || entry.id > after);
        const first = left[0]?.transaction;
        const taken = transactions === 0 ? left.slice(0, entries) : left.filter((entry) => entry.transaction === first);
        return JSON.stringify({ entries: taken, hasMore: taken.length < left.length });
      }),
    completeCrud: (id, lastId) =>
      call('completeCrud', id, () => {
        fake.crud = fake.crud.filter((entry) => entry.id > lastId);
      }, lastId),
    getUploadQueueStats: (id) => call('getUploadQueueStats', id, () => '{"count":0,"size":null}'),
    getClientId: (id) => call('getClientId', id, () => 'c1'),
    getImportResult: (id) => call('getImportResult', id, () => 'null'),
    rekey: (id, key) => call('rekey', id, () => undefined, key),
    finishUpload: (_id, requestId, error) => {
      finished.get(requestId)?.(error);
      finished.delete(requestId);
    },
    begin: (id, mode) => {
      fake.begun.push(mode);
      return call('begin', id, () => 7);
    },
    commit: (id) => call('commit', id, () => undefined),
    rollback: (id) => call('rollback', id, () => undefined),
    connect: (id) => call('connect', id, () => { fake.setStatus(id, { status: 'connecting', connecting: true }, false); }),
    disconnect: (id) => call('disconnect', id, () => { fake.setStatus(id, idleStatus, false); }),
    triggerSync: (id) => call('triggerSync', id, () => undefined),
    uploadData: (id) => call('uploadData', id, () => undefined),
    clearAndReconnect: (id) => call('clearAndReconnect', id, () => undefined),
    reconcile: (id) => call('reconcile', id, () => undefined),
    getParkedChanges: (id) => call('getParkedChanges', id, () => JSON.stringify(fake.parked)),
    retryParked: (id, ids) => call('retryParked', id, () => fake.parkedCount(ids), ids),
    discardParked: (id, ids) => call('discardParked', id, () => fake.parkedCount(ids), ids),
    notify: (id, event) => call('notify', id, () => undefined, event),
    prepareForSuspend: (id) => call('prepareForSuspend', id, () => undefined),
    resume: (id) => call('resume', id, () => undefined),
    signOut: (id, policy, timeoutMs) => {
      const done = call('signOut', id, () => policy !== 'keep', policy, timeoutMs);
      const forget = (): void => {
        files.delete(id);
      };
      done.then(forget, forget);
      return done;
    },
    fetchChanges: (id, since) => call('fetchChanges', id, () => JSON.stringify({ changes: {}, timestamp: since, hasMore: false })),
    health: (id) => call('health', id, () => '{"status":"ok"}'),
    populate: (id) => call('populate', id, () => '"nonsense"'),
    getStatus: (id) => JSON.stringify(statuses.get(id) ?? idleStatus),
    provideCredentials: (_id, requestId, json, error) => {
      answers.get(requestId)?.({ credentials: json, error });
      answers.delete(requestId);
    },
    onStatusChanged: status.subscribe,
    onTablesChanged: tables.subscribe,
    onWatchChanged: watches.subscribe,
    onUploadRequested: uploads.subscribe,
    onCredentialsRequested: credentials.subscribe,
  };
  return { fake, native };
}

export const { fake, native } = createFake();
