/** What the Hermes tests share: a directory that disappears, databases that are closed, and the schema of the contract in short. */
// Declares the global __host.
import type {} from '../../../scripts/host/host';
import { assert, cleanup } from '../../../scripts/host/harness';
import { column, type Database, openDatabase, type OpenOptions, Schema, type SyncConnector, SyncError, type SyncErrorCode, Table } from '../../index';

export const schema = new Schema({
  sync_entities: new Table(
    { entity_type: column.text, name: column.text, rank: column.integer, weight: column.real, properties: column.json },
    { indexes: { by_type: ['entity_type'] }, required: ['entity_type', 'name'] }
  ),
  sync_relationships: new Table(
    { from_entity_id: column.text, to_entity_id: column.text, relationship_type: column.text },
    { parents: ['sync_entities'], required: ['from_entity_id', 'to_entity_id', 'relationship_type'] }
  ),
});

/** Nobody is signed in. */
export const signedOut: SyncConnector = { fetchCredentials: () => Promise.resolve(null) };

/** A backend that refuses connections (port 9, discard). */
export const unreachable: SyncConnector = {
  fetchCredentials: () => Promise.resolve({ endpoint: 'http://127.0.0.1:9/api/powersync', token: 'tok' }),
};

export function temporaryDirectory(): string {
  const directory = __host.makeTempDirectory('omnii-js-');
  cleanup(() => {
    __host.remove(directory);
  });
  return directory;
}

/** Opens with what the test does not say filled in; closed when the test ends. */
export async function open(options: Partial<OpenOptions> = {}): Promise<Database> {
  const directory = options.directory ?? temporaryDirectory();
  const db = await openDatabase({ schema, userId: 'user-1', connector: signedOut, ...options, directory });
  cleanup(() => db.close());
  return db;
}

/** For `assert.rejects`: a SyncError of that code whose message holds all of `words`. */
export const syncError =
  (code: SyncErrorCode, ...words: string[]) =>
  (thrown: unknown): boolean => {
    assert.ok(thrown instanceof SyncError, `not a SyncError: ${String(thrown)}`);
    assert.equal(thrown.code, code, thrown.message);
    for (const word of words) {
      assert.ok(thrown.message.includes(word), `"${thrown.message}" does not say "${word}"`);
    }
    return true;
  };

export const insertEntity = (db: Pick<Database, 'execute'>, id: string, name = 'n') =>
  db.execute('INSERT INTO sync_entities (id, entity_type, name) VALUES (?, ?, ?)', [id, 'task', name]);
