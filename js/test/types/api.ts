/** What the compiler must infer for apps. Checked by `npm run typecheck`; nothing here runs. */
import { expectTypeOf } from 'expect-type';
import {
  column, type Database, type LockContext, type QueryResult, type RowOf, Schema, SyncError, type SyncErrorCode, syncErrorCodes, Table, type Transaction,
} from '../../index';
import type { CrudEntry, CrudTransaction } from '../../crud';
import type { WatchedQuery, WatchedQueryDifferential } from '../../live/types';

// The rows of a schema.
const tasks = new Table(
  {
    title: column.text, rank: column.integer, weight: column.real, meta: column.json, done: column.boolean, at: column.timestamp,
  },
  { indexes: { by_rank: ['rank', 'id', '-at'] }, required: ['title'], parents: ['lists'], conflict: 'clientWins' }
);
const lists = new Table({ name: column.text }, { localOnly: false });
export const schema = new Schema({ tasks, lists });
type Rows = (typeof schema)['types'];
expectTypeOf<keyof Rows>().toEqualTypeOf<'tasks' | 'lists'>();
expectTypeOf<Rows['lists']['name']>().toEqualTypeOf<string | null>();
expectTypeOf<Rows['lists']['id']>().toEqualTypeOf<string>();
expectTypeOf<RowOf<typeof tasks>['rank']>().toEqualTypeOf<number | null>();
expectTypeOf<RowOf<typeof tasks>['done']>().toEqualTypeOf<number | null>();
expectTypeOf<RowOf<typeof tasks>['at']>().toEqualTypeOf<string | null>();
expectTypeOf<RowOf<typeof tasks>['meta']>().toEqualTypeOf<string | null>();
// @ts-expect-error: an index of a column that is not there
new Table({ name: column.text }, { indexes: { bad: ['nmae'] } });
// @ts-expect-error: required names a column that is not there
new Table({ name: column.text }, { required: ['title'] });
// @ts-expect-error: an unknown policy
new Table({ name: column.text }, { conflict: 'neither' });

// A database.
declare const db: Database;
declare const tx: Transaction;
type Task = Rows['tasks'];
expectTypeOf(db.getAll<Task>('')).resolves.toEqualTypeOf<Task[]>();
expectTypeOf(db.getOptional<Task>('')).resolves.toEqualTypeOf<Task | null>();
expectTypeOf(db.get<Task>('')).resolves.toEqualTypeOf<Task>();
expectTypeOf(db.execute<Task>('')).resolves.toEqualTypeOf<QueryResult<Task>>();
expectTypeOf(db.getAllSync<Task>('')).toEqualTypeOf<Task[]>();
expectTypeOf(tx.getAll<Task>('')).resolves.toEqualTypeOf<Task[]>();
expectTypeOf(db.writeTransaction(() => 5)).resolves.toEqualTypeOf<number>();
expectTypeOf(db.readTransaction(async (read) => (await read.getAll<Task>('')).length)).resolves.toEqualTypeOf<number>();
expectTypeOf(db.writeLock((lock) => lock.execute(''))).resolves.toExtend<QueryResult>();
// @ts-expect-error: an object is no parameter
void db.execute('', [{}]);
// @ts-expect-error: undefined is no parameter
void db.getAll('', [undefined]);
// @ts-expect-error: a lock has no commit
expectTypeOf<LockContext['commit']>();
expectTypeOf(db.getNextCrudTransaction()).resolves.toEqualTypeOf<CrudTransaction | null>();
expectTypeOf<CrudEntry['op']>().toEqualTypeOf<'PUT' | 'PATCH' | 'DELETE'>();

// Live queries.
const query = db.query<Task>({ sql: 'SELECT * FROM tasks', parameters: [1, 'a', null, true, 5n] });
const watched = query.watch();
expectTypeOf(watched).toExtend<WatchedQuery<readonly Readonly<Task>[]>>();
expectTypeOf(watched.state.data).toEqualTypeOf<readonly Readonly<Task>[]>();
expectTypeOf(watched.state.isLoading).toEqualTypeOf<boolean>();
watched.registerListener({ onData: (data) => { expectTypeOf(data).toEqualTypeOf<readonly Readonly<Task>[]>(); } });
query.differentialWatch().registerListener({
  onDiff: (difference) => { expectTypeOf(difference).toEqualTypeOf<WatchedQueryDifferential<Readonly<Task>>>(); },
});
const mapped = db.query({ sql: '', mapper: (row) => ({ name: String(row['name']), size: 1 }) }).watch();
expectTypeOf(mapped.state.data).toEqualTypeOf<readonly Readonly<{ name: string; size: number }>[]>();
expectTypeOf(db.customQuery({ compile: () => ({ sql: '', parameters: [] }), execute: () => Promise.resolve([1]) }).watch().state.data).toEqualTypeOf<
  readonly Readonly<number>[]
>();
expectTypeOf(watched.state.data).not.toHaveProperty('push');

// Errors: every code is in the union, and a switch can be complete.
expectTypeOf<(typeof syncErrorCodes)[number]>().toEqualTypeOf<SyncErrorCode>();
expectTypeOf<SyncError['code']>().toEqualTypeOf<SyncErrorCode>();
expectTypeOf<SyncErrorCode>().not.toEqualTypeOf<string>();
/** Has one entry for each code: a code that is new, or gone, is an error here. */
const codes: Record<SyncErrorCode, true> = Object.fromEntries(syncErrorCodes.map((code) => [code, true])) as Record<SyncErrorCode, true>;
expectTypeOf(codes.Constraint).toEqualTypeOf<true>();
// @ts-expect-error: no such code
new SyncError('Nope', '');
