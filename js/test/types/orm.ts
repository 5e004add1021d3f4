/** What the compiler must infer through Drizzle and Kysely. Checked by `npm run typecheck`; nothing here runs. */
import { eq, relations } from 'drizzle-orm';
import { integer, sqliteTable, text } from 'drizzle-orm/sqlite-core';
import { expectTypeOf } from 'expect-type';
import { drizzle, toCompilableQuery, toSchema } from '../../drizzle/index';
import { column, type Database, Schema, Table } from '../../index';
import { toCompilableQuery as fromKysely, wrapDatabaseWithKysely } from '../../kysely/index';

declare const db: Database;

const lists = sqliteTable('lists', { id: text('id').primaryKey(), name: text('name').notNull() });
const todos = sqliteTable('todos', {
  id: text('id').primaryKey(), listId: text('list_id'), done: integer('done', { mode: 'boolean' }), at: integer('at', { mode: 'timestamp_ms' }),
});
const todosRelations = relations(todos, ({ one }) => ({ list: one(lists, { fields: [todos.listId], references: [lists.id] }) }));
const tables = { lists, todos, todosRelations };
const orm = drizzle(db, { schema: tables });
const insert = async () => orm.insert(lists).values({ id: 'a', name: 'A' }).returning();
const findOne = async () => orm.query.todos.findFirst({ with: { list: true } });
const remove = async () => orm.delete(lists);
type Todo = { id: string; listId: string | null; done: boolean | null; at: Date | null };

expectTypeOf(toSchema(tables)).toExtend<Schema>();
expectTypeOf(orm.select().from(todos).execute()).resolves.toEqualTypeOf<Todo[]>();
expectTypeOf(insert()).resolves.toEqualTypeOf<{ id: string; name: string }[]>();
expectTypeOf(remove()).resolves.toExtend<{ rowsAffected: number }>();
expectTypeOf(findOne()).resolves.toEqualTypeOf<
  { id: string; listId: string | null; done: boolean | null; at: Date | null; list: { id: string; name: string } | null } | undefined
>();
expectTypeOf(orm.transaction(async (tx) => (await tx.select().from(todos)).length)).resolves.toEqualTypeOf<number>();
expectTypeOf(db.customQuery(toCompilableQuery(orm.select().from(todos).where(eq(todos.done, true)))).watch().state.data).toEqualTypeOf<
  readonly Readonly<Todo>[]
>();
// @ts-expect-error: name is missing
orm.insert(lists).values({ id: 'a' });

export const schema = new Schema({ notes: new Table({ title: column.text, rank: column.integer }) });
const kysely = wrapDatabaseWithKysely<(typeof schema)['types']>(db);
expectTypeOf(kysely.selectFrom('notes').select(['id', 'rank']).execute()).resolves.toEqualTypeOf<{ id: string; rank: number | null }[]>();
expectTypeOf(db.customQuery(fromKysely(kysely.selectFrom('notes').select('title'))).watch().state.data).toEqualTypeOf<
  readonly Readonly<{ title: string | null }>[]
>();
// @ts-expect-error: no such column
kysely.selectFrom('notes').select('nope');
