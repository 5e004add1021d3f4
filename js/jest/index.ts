/**
 * `@omnii/sync/jest`: A FAKE of the native module for unit tests of apps, in jest, vitest or node:test. Importing it puts the
 * fake where `@omnii/sync` looks for the native module, so import it before `@omnii/sync`, best in a setup file.
 *
 * Everything that is JavaScript is the real package: openDatabase, queries, transactions, live queries, hooks, errors. SQL runs
 * in SQLite (sql.js, in memory), with the tables of the schema. What is faked: there is no protocol, no network, no file, no
 * conflict rules, no backoff. A backend of its own takes what is uploaded and sends what the test gives it (`syncFake`).
 */
import { fakeDevice } from '../connectivity';
import { createBackend, type UploadedChange } from './backend';
import { createNative } from './native';

export type { UploadedChange };

/** The fake's backend, and the fake itself. */
export type SyncFake = {
  /** Whether the backend can be reached; at first it can. Going online starts a round where syncing is wanted. */
  setOnline(online: boolean): void;
  /**
   * The backend has these rows now. Open databases that sync get them with a round that begins at once, others with their
   * next one. Each row needs an `id`; columns that are left out keep what they hold. A row replaces what the device has, also
   * where changes are pending.
   */
  deliver(table: string, rows: readonly Readonly<Record<string, unknown>>[]): void;
  /** The backend has deleted these rows. */
  deliverDeleted(table: string, ids: readonly string[]): void;
  /** What the databases have uploaded so far, oldest first. Not what a connector's `uploadData` took: that goes nowhere. */
  uploaded(): readonly UploadedChange[];
  /** From now on the backend refuses changes like these: they are parked, with the reason. Answers the function that ends it. */
  refuse(matches: (change: UploadedChange) => boolean, reason?: string): () => void;
  /** Closes what is open, forgets all databases and all that the backend knows. Between tests. */
  reset(): void;
};

const backend = createBackend();
const { native, reset } = createNative(backend);

function wake(): void {
  for (const listener of [...backend.listeners]) {
    listener();
  }
}

export const syncFake: SyncFake = {
  setOnline: (online) => {
    backend.online = online;
    wake();
  },
  deliver: (table, rows) => {
    for (const row of rows) {
      const id = row['id'];
      if (typeof id !== 'string' || id === '') {
        throw new TypeError(`syncFake.deliver: a row for '${table}' has no id`);
      }
      backend.deliveries.push({ table, id, row: { ...row } });
    }
    wake();
  },
  deliverDeleted: (table, ids) => {
    backend.deliveries.push(...ids.map((id) => ({ table, id, row: null })));
    wake();
  },
  uploaded: () => [...backend.uploads],
  refuse: (matches, reason = 'refused by the test') => {
    const refusal = { matches, reason };
    backend.refusals.push(refusal);
    return () => {
      backend.refusals = backend.refusals.filter((other) => other !== refusal);
    };
  },
  reset: () => {
    reset();
    backend.online = true;
    backend.deliveries.length = 0;
    backend.uploads = [];
    backend.refusals = [];
  },
};

(globalThis as Record<symbol, unknown>)[Symbol.for('@omnii/sync/native')] = native;
// Network and battery are the fake's, too: packages that tell of the device are mocks in unit tests, and often say "offline".
(globalThis as Record<symbol, unknown>)[fakeDevice] = true;
