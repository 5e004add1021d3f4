/** The live part of a database: everything that goes on delivering after the call. */
import type { Calls } from '../calls';
import type { Database } from '../database';
import { SyncError } from '../errors';
import type { Queries } from '../queries';
import type { TableEvents } from '../tableEvents';
import type { LiveQueries } from './types';

export function createLiveQueries(
  _calls: Calls,
  _queries: Queries,
  _tables: TableEvents,
  _database: () => Database
): { queries: LiveQueries; close: () => void } {
  const todo = (): never => {
    throw new SyncError('Internal', 'live queries are not built yet');
  };
  return {
    queries: {
      watch: todo, watchWithCallback: todo, watchWithAsyncGenerator: todo, onChange: todo, onChangeWithCallback: todo,
      onChangeWithAsyncGenerator: todo, query: todo, customQuery: todo, resolveTables: todo,
    },
    close: () => undefined,
  };
}
