/** What the compiler must infer for screens. Checked by `npm run typecheck`; nothing here runs. */
import { expectTypeOf } from 'expect-type';
import {
  type Database, type RowOf, type SyncFrequency, type SyncState, type SyncStatus, Table, column, toSyncError, useDatabase, usePowerSync,
  useQuery, useStatus, useSuspenseQuery, useSyncState,
} from '../../index';
import * as powersync from '../../powersync/index';

export const tasks = new Table({ title: column.text, done: column.boolean });
type Task = RowOf<typeof tasks>;

export function Screen(): void {
  const plain = useQuery<Task>('SELECT * FROM tasks WHERE id = ?', ['a'], { throttleMs: 100, tables: ['tasks'] });
  expectTypeOf(plain.data).toEqualTypeOf<Task[]>();
  expectTypeOf(plain.isLoading).toEqualTypeOf<boolean>();
  expectTypeOf(plain.isFetching).toEqualTypeOf<boolean>();
  expectTypeOf(plain.error).toEqualTypeOf<Error | undefined>();
  expectTypeOf(plain.refresh).returns.resolves.toBeVoid();
  expectTypeOf(toSyncError(plain.error).retryable).toEqualTypeOf<boolean>();

  // With a comparator rows are shared with the result before, so they must not be changed.
  const compared = useQuery<Task>('SELECT * FROM tasks', [], {
    rowComparator: { keyBy: (task) => task.id, compareBy: (task) => task.title ?? '' },
  });
  expectTypeOf(compared.data).toEqualTypeOf<readonly Readonly<Task>[]>();

  // A query builder says what its rows are.
  const built = useQuery({
    compile: () => ({ sql: 'SELECT 1 AS one', parameters: [] }),
    execute: () => Promise.resolve([{ one: 1 }]),
  });
  expectTypeOf(built.data).toEqualTypeOf<{ one: number }[]>();

  const suspended = useSuspenseQuery<Task>('SELECT * FROM tasks');
  expectTypeOf(suspended.data).toEqualTypeOf<Task[]>();
  expectTypeOf(suspended).not.toHaveProperty('isLoading');

  // @ts-expect-error: parameters are an array
  useQuery('SELECT ?', 'a');
  // @ts-expect-error: an unknown option
  useQuery('SELECT 1', [], { throttle: 100 });

  expectTypeOf(useDatabase()).toEqualTypeOf<Database | null>();
  expectTypeOf(usePowerSync()).toEqualTypeOf<Database | null>();
  expectTypeOf(useStatus()).toEqualTypeOf<SyncStatus>();
  expectTypeOf(useSyncState()).toEqualTypeOf<SyncState>();
  expectTypeOf(useSyncState().isSupported).toEqualTypeOf<boolean>();
  expectTypeOf(useSyncState().syncFrequency).toEqualTypeOf<SyncFrequency>();

  // Under PowerSync's names.
  expectTypeOf(powersync.usePowerSync()).toEqualTypeOf<powersync.AbstractPowerSyncDatabase>();
  expectTypeOf<powersync.AbstractPowerSyncDatabase>().toEqualTypeOf<Database>();
  expectTypeOf(powersync.useQuery<Task>('').data).toEqualTypeOf<Task[]>();
  expectTypeOf<powersync.QueryResult<Task>['data']>().toEqualTypeOf<Task[]>();
}
