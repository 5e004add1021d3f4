/**
 * A stand-in for the native module: implements all of `Spec` over SQLite in memory. Owns which databases are open; a closed
 * one keeps its content until `reset`, as a file would.
 */
import type { NativeCredentialsEvent, NativeStatusEvent, NativeTablesEvent, NativeUploadEvent, NativeWatchEvent, Spec } from '../NativeOmniiSync';
import type { NativeCredentialsError, NativeOpenOptions, NativeSchema } from '../types';
import type { Backend } from './backend';
import { createEmitter } from './emitter';
import { nativeError } from './nativeError';
import * as outbox from './outbox';
import { loadSqlite, objectsOf, type RawResult } from './sqlite';
import { type Changes, createStore, type Mode, type Store } from './store';
import { createSyncing, newProgress, type Progress, type Syncing } from './syncing';
import { quote, sqlName } from './tables';
import { createWatches } from './watches';

type Watches = ReturnType<typeof createWatches>;

type File = { readonly userId: string; readonly store: Store; readonly progress: Progress; readonly clientId: string; hears: ((changes: Changes, app: boolean) => void) | null };

type Open = { readonly id: number; readonly key: string; readonly file: File; readonly schema: NativeSchema; readonly syncing: Syncing; readonly watches: Watches; tableEvents: boolean };

/** What the native module does on a thread of its own. */
const soon = <T>(work: () => T): Promise<T> => Promise.resolve().then(work);

const notOpen = (): Error => nativeError('NotOpen', 'the database is not open');

function randomId(): string {
  return 'xxxxxxxx-xxxx-4xxx-8xxx-xxxxxxxxxxxx'.replaceAll('x', () => Math.floor(Math.random() * 16).toString(16));
}

export function createNative(backend: Backend): { native: Spec; reset: () => void } {
  const files = new Map<string, File>();
  const open = new Map<number, Open>();
  const opening = new Set<string>();
  /** The last word about databases that `reset` closed under an app that has not closed them itself. */
  const lastStatus = new Map<number, string>();
  const questions = new Map<number, { resolve: (answer: unknown) => void; reject: (error: Error) => void }>();
  let lastId = 0;
  let lastRequest = 0;
  const statusChanged = createEmitter<NativeStatusEvent>();
  const tablesChanged = createEmitter<NativeTablesEvent>();
  const watchChanged = createEmitter<NativeWatchEvent>();
  const uploadRequested = createEmitter<NativeUploadEvent>();
  const credentialsRequested = createEmitter<NativeCredentialsEvent>();

  const find = (id: number): Open => {
    const found = open.get(id);
    if (found === undefined) {
      throw notOpen();
    }
    return found;
  };
  const values = (parameters: object): readonly unknown[] => parameters as readonly unknown[];
  const asObjects = (result: RawResult) => ({ ...result, rows: objectsOf(result) });
  const ask = <T>(emit: (requestId: number) => void): Promise<T> => {
    lastRequest += 1;
    const requestId = lastRequest;
    const answer = new Promise((resolve, reject) => questions.set(requestId, { resolve, reject }));
    emit(requestId);
    return answer as Promise<T>;
  };

  const start = (id: number, key: string, file: File, options: NativeOpenOptions): Open => {
    const { store } = file;
    const watches = createWatches(store, (watchId, error) => {
      watchChanged.emit({ databaseId: id, watchId, error });
    });
    const syncing = createSyncing(store, backend, file.progress, { userId: options.userId, customUpload: options.customUpload === true }, {
      credentials: () => ask((requestId) => { credentialsRequested.emit({ databaseId: id, requestId }); }),
      upload: () => ask((requestId) => { uploadRequested.emit({ databaseId: id, requestId }); }),
      changed: () => {
        statusChanged.emit({ databaseId: id, status: syncing.status() });
      },
    });
    const made: Open = { id, key, file, schema: options.schema, syncing, watches, tableEvents: false };
    file.hears = (changes, app) => {
      syncing.look();
      if (made.tableEvents && changes.size > 0) {
        const rowIds = Object.fromEntries([...changes].flatMap(([table, ids]) => (ids === null ? [] : [[table, [...ids]]])));
        tablesChanged.emit({ databaseId: id, tables: [...changes.keys()], rowIds: JSON.stringify(rowIds) });
      }
      watches.committed(changes);
      if (app && outbox.counts(store.committed()).pending > 0) {
        syncing.kick();
      }
    };
    return made;
  };
  const stop = (database: Open): void => {
    lastStatus.set(database.id, database.syncing.status());
    open.delete(database.id);
    database.watches.clear();
    database.syncing.close();
    database.file.hears = null;
    database.file.store.close();
  };
  /** Empties the synced tables; with `pending`, the outbox, too, else rows with changes in it stay. */
  const empty = async ({ file: { store, progress } }: Open, { pending, local }: { pending: boolean; local: boolean }): Promise<void> => {
    await store.apply((connection) => {
      for (const table of store.schema().tables) {
        if (table.localOnly !== true || local) {
          const kept = pending ? '' : ` WHERE id NOT IN (SELECT row_id FROM omnii_outbox WHERE tbl = '${table.name.replaceAll("'", "''")}')`;
          connection.run(`DELETE FROM ${quote(sqlName(table))}${kept}`, []);
        }
      }
      if (pending) {
        connection.run('DELETE FROM omnii_outbox', []);
      }
    });
    Object.assign(progress, newProgress());
  };
  const online = (): void => {
    if (!backend.online) {
      throw nativeError('Network', 'the backend can not be reached', true);
    }
  };

  const native: Spec = {
    open: async (json) => {
      const options = JSON.parse(json) as NativeOpenOptions;
      const key = JSON.stringify([options.directory, options.filename ?? `user ${options.userId}`]);
      if (opening.has(key) || [...open.values()].some((database) => database.key === key)) {
        throw nativeError('AlreadyOpen', 'this database is open already; close it first');
      }
      opening.add(key);
      try {
        const sqlite = await loadSqlite();
        let file = files.get(key);
        if (file === undefined) {
          const made: File = {
            userId: options.userId, progress: newProgress(), clientId: randomId(), hears: null,
            store: createStore(sqlite, (changes, app) => made.hears?.(changes, app)),
          };
          files.set(key, made);
          file = made;
        }
        if (file.userId !== options.userId) {
          throw nativeError('UserMismatch', 'this file belongs to another user');
        }
        file.store.open(options.schema, options.bigIntegers ?? 'bigint');
        lastId += 1;
        open.set(lastId, start(lastId, key, file, options));
        return lastId;
      } finally {
        opening.delete(key);
      }
    },
    close: (id) =>
      soon(() => {
        // `reset` may have closed it.
        if (!lastStatus.has(id)) {
          stop(find(id));
        }
      }),
    execute: async (id, tx, sql, parameters) => asObjects(await find(id).file.store.execute(tx, sql, values(parameters))),
    executeRaw: async (id, tx, sql, parameters) => find(id).file.store.execute(tx, sql, values(parameters)),
    executeBatch: async (id, tx, sql, sets) => find(id).file.store.batch(tx, sql, sets as readonly (readonly unknown[])[]),
    query: async (id, sql, parameters) => asObjects(await find(id).file.store.query(sql, values(parameters))),
    querySync: (id, sql, parameters) => asObjects(find(id).file.store.querySync(sql, values(parameters))),
    describe: (id, sql) => soon(() => JSON.stringify(find(id).file.store.explain(sql))),
    interrupt: (id) => soon(() => { find(id).file.store.interrupt(); }),
    begin: async (id, mode) => find(id).file.store.begin(mode as Mode),
    commit: async (id, tx) => find(id).file.store.end(tx, true),
    rollback: async (id, tx) => find(id).file.store.end(tx, false),

    watch: async (id, sql, parameters, options) => find(id).watches.watch(sql, values(parameters), options),
    takeWatched: (id, watchId) => open.get(id)?.watches.take(watchId) ?? null,
    unwatch: (id, watchId) => { open.get(id)?.watches.unwatch(watchId); },
    setTableEvents: (id, wanted) => { find(id).tableEvents = wanted; },

    connect: (id) => soon(() => { find(id).syncing.connect(); }),
    disconnect: (id) => soon(() => { find(id).syncing.disconnect(); }),
    triggerSync: async (id) => find(id).syncing.triggerSync(),
    uploadData: async (id) => find(id).syncing.uploadData(),
    clearAndReconnect: async (id) => {
      const database = find(id);
      database.syncing.disconnect();
      await empty(database, { pending: false, local: false });
      database.syncing.connect();
    },
    reconcile: async (id) => {
      const { syncing } = find(id);
      await syncing.triggerSync();
      syncing.reconciled();
    },
    clear: async (id, clearLocal) => {
      const database = find(id);
      database.syncing.disconnect();
      await empty(database, { pending: true, local: clearLocal });
      database.syncing.look();
    },
    getParkedChanges: async (id) => find(id).file.store.apply((connection) => JSON.stringify(outbox.parked(connection))),
    retryParked: async (id, ids) => {
      const { file, syncing } = find(id);
      const count = await file.store.apply((connection) => outbox.retry(connection, ids));
      syncing.kick();
      return count;
    },
    discardParked: async (id, ids) => {
      const { file } = find(id);
      return file.store.apply((connection) => outbox.discard(connection, file.store.schema(), ids));
    },
    getCrud: async (id, options) =>
      find(id).file.store.apply((connection) => JSON.stringify(outbox.crud(connection, JSON.parse(options) as Parameters<typeof outbox.crud>[1]))),
    completeCrud: async (id, last) => {
      const { file, syncing } = find(id);
      await file.store.apply((connection) => { outbox.complete(connection, last); });
      syncing.look();
    },
    getUploadQueueStats: async (id, includeSize) =>
      find(id).file.store.apply((connection) => JSON.stringify(outbox.stats(connection, includeSize))),
    getClientId: (id) => soon(() => find(id).file.clientId),
    // nothing of the fake is on a disk: there is nothing to take in and nothing to encrypt
    getImportResult: (id) =>
      soon(() => {
        find(id);
        return 'null';
      }),
    rekey: (id) => soon(() => { find(id); }),
    finishUpload: (_id, requestId, error) => {
      questions.get(requestId)?.resolve(error);
      questions.delete(requestId);
    },
    provideCredentials: (_id, requestId, credentials, error) => {
      const question = questions.get(requestId);
      questions.delete(requestId);
      if (error === '') {
        question?.resolve(JSON.parse(credentials));
      } else {
        const { code, message } = JSON.parse(error) as NativeCredentialsError;
        question?.reject(nativeError(code, message, true));
      }
    },
    notify: (id, event) =>
      soon(() => {
        const { syncing } = find(id);
        if (event === 'credentialsChanged') {
          syncing.credentialsChanged();
        } else {
          syncing.notify(event);
        }
      }),
    prepareForSuspend: (id) =>
      soon(() => {
        const { file, syncing } = find(id);
        syncing.suspend(true);
        file.store.suspend(true);
      }),
    resume: (id) =>
      soon(() => {
        const { file, syncing } = find(id);
        file.store.suspend(false);
        syncing.suspend(false);
      }),
    signOut: async (id, policy) => {
      const database = find(id);
      await database.syncing.uploadData().catch(() => undefined);
      const { pending, parked } = outbox.counts(database.file.store.committed());
      stop(database);
      const cleared = policy === 'clear' || (policy === 'clearWhenSynced' && pending + parked === 0);
      if (cleared) {
        files.delete(database.key);
      }
      return cleared;
    },
    fetchChanges: (id) =>
      soon(() => {
        find(id);
        online();
        return JSON.stringify({ changes: {}, timestamp: new Date().toISOString(), hasMore: false });
      }),
    health: (id) =>
      soon(() => {
        const { userId } = find(id).file;
        online();
        return JSON.stringify({ status: 'ok', userId, timestamp: new Date().toISOString() });
      }),
    populate: (id) =>
      soon(() => {
        find(id);
        online();
        return JSON.stringify({ success: true, synced: {} });
      }),
    getStatus: (id) => lastStatus.get(id) ?? find(id).syncing.status(),

    onStatusChanged: statusChanged.subscribe,
    onTablesChanged: tablesChanged.subscribe,
    onWatchChanged: watchChanged.subscribe,
    onUploadRequested: uploadRequested.subscribe,
    onCredentialsRequested: credentialsRequested.subscribe,
  };
  return {
    native,
    reset: () => {
      for (const database of [...open.values()]) {
        stop(database);
      }
      files.clear();
    },
  };
}
