/** Drizzle and Kysely over a database: the same cases over the engine and over the fake. */
import { eq, relations } from 'drizzle-orm';
import { integer, sqliteTable, text } from 'drizzle-orm/sqlite-core';
import { toCompilableQuery, toSchema, wrapDatabaseWithDrizzle } from '../../drizzle/index';
import { toCompilableQuery as fromKysely, wrapDatabaseWithKysely } from '../../kysely/index';
import { type Case, codeOf, type contractSchema, until } from './cases';

export const lists = sqliteTable('lists', { id: text('id').primaryKey(), name: text('name').notNull() });
export const todos = sqliteTable('todos', {
  id: text('id').primaryKey(),
  name: text('name').notNull(),
  listId: text('list_id'),
  done: integer('done', { mode: 'boolean' }),
  at: integer('at', { mode: 'timestamp_ms' }),
  meta: text('meta', { mode: 'json' }).$type<{ tags: string[] }>(),
});
const listsRelations = relations(lists, ({ many }) => ({ todos: many(todos) }));
const todosRelations = relations(todos, ({ one }) => ({ list: one(lists, { fields: [todos.listId], references: [lists.id] }) }));
const tables = { lists, todos, listsRelations, todosRelations };

export const drizzleSchema = toSchema(tables);

const at = new Date(1_800_000_000_123);
const first = { id: 't1', name: 'same', listId: 'l1', done: true, at, meta: { tags: ['ü'] } };

export const drizzleCases: readonly Case[] = [
  {
    name: 'drizzle: insert, select with modes, joins with equal names, update, delete, returning',
    run: async (db, assert) => {
      const orm = wrapDatabaseWithDrizzle(db, { schema: tables });
      assert.equal((await orm.insert(lists).values({ id: 'l1', name: 'same too' })).rowsAffected, 1);
      assert.deepEqual(await orm.insert(todos).values(first).returning(), [first]);
      assert.deepEqual(await orm.select().from(todos).where(eq(todos.done, true)), [first]);
      assert.deepEqual(await orm.select().from(todos).leftJoin(lists, eq(lists.id, todos.listId)), [
        { todos: first, lists: { id: 'l1', name: 'same too' } },
      ]);
      assert.deepEqual(await orm.query.lists.findMany({ with: { todos: { columns: { id: true, at: true } } } }), [
        { id: 'l1', name: 'same too', todos: [{ id: 't1', at }] },
      ]);
      assert.equal((await orm.query.todos.findFirst({ with: { list: true } }))?.list?.name, 'same too');
      assert.equal(await orm.select().from(todos).where(eq(todos.id, 'none')).get(), undefined);
      assert.deepEqual(await orm.update(todos).set({ done: false }).returning({ done: todos.done }), [{ done: false }]);
      assert.equal((await orm.delete(todos)).rowsAffected, 1);
      assert.deepEqual(await orm.select().from(todos), []);
    },
  },
  {
    name: 'drizzle: transactions commit, roll back, nest',
    run: async (db, assert) => {
      const orm = wrapDatabaseWithDrizzle(db, { schema: tables });
      const mine = new Error('mine');
      const answer = await orm.transaction(async (tx) => {
        await tx.insert(lists).values({ id: 'a', name: 'A' });
        const thrown = await tx.transaction(async (inner) => {
          await inner.insert(lists).values({ id: 'b', name: 'B' });
          throw mine;
        }).catch((e: unknown) => e);
        assert.equal(thrown, mine);
        await tx.transaction((inner) => inner.insert(lists).values({ id: 'c', name: 'C' }));
        return (await tx.query.lists.findMany()).length;
      });
      assert.equal(answer, 2);
      assert.equal(await orm.transaction(async (tx) => { await tx.delete(lists); throw mine; }).catch((e: unknown) => e), mine);
      const undone = await orm.transaction(async (tx) => { await tx.delete(lists); tx.rollback(); }).then(() => 'resolved', () => 'rejected');
      assert.equal(undone, 'rejected');
      assert.deepEqual((await orm.select().from(lists)).map(({ id }) => id), ['a', 'c']);
      assert.equal(db.currentStatus.pendingChanges, 2);
    },
  },
  {
    name: 'drizzle: a live query',
    run: async (db, assert) => {
      const orm = wrapDatabaseWithDrizzle(db, { schema: tables });
      const seen: unknown[] = [];
      const query = db.customQuery(toCompilableQuery(orm.select().from(todos).where(eq(todos.done, true)))).watch({ throttleMs: 0 });
      query.registerListener({ onData: (rows) => { seen.push(rows); } });
      await until(() => !query.state.isLoading, 'the first result');
      await orm.insert(todos).values([first, { id: 't2', name: 'open', done: false }]);
      await until(() => query.state.data.length === 1, 'the change');
      assert.deepEqual(seen.at(-1), [first]);
      await query.close();
    },
  },
];

export const kyselyCases: readonly Case[] = [
  {
    name: 'kysely: insert, select, update, delete, returning, errors',
    run: async (db, assert) => {
      const orm = wrapDatabaseWithKysely<(typeof contractSchema)['types']>(db);
      const note = { title: 'T', rank: 1, weight: null, meta: null };
      assert.equal((await orm.insertInto('notes').values({ id: 'a', ...note }).executeTakeFirst()).numInsertedOrUpdatedRows, 1n);
      assert.deepEqual(await orm.insertInto('notes').values({ id: 'b', ...note }).returning('id').execute(), [{ id: 'b' }]);
      assert.deepEqual(await orm.selectFrom('notes').select(['id', 'rank']).orderBy('id').execute(), [{ id: 'a', rank: 1 }, { id: 'b', rank: 1 }]);
      assert.equal((await orm.updateTable('notes').set({ rank: 2 }).where('id', '=', 'a').executeTakeFirst()).numUpdatedRows, 1n);
      assert.equal((await orm.deleteFrom('notes').where('id', '=', 'b').executeTakeFirst()).numDeletedRows, 1n);
      assert.equal(await codeOf(() => orm.insertInto('notes').values({ id: 'a', ...note }).execute()), 'Constraint');
      assert.equal(await codeOf(async () => { for await (const row of orm.selectFrom('notes').selectAll().stream()) { assert.equal(row, undefined); } }), 'BadArgument');
    },
  },
  {
    name: 'kysely: transactions commit, roll back, wait for each other, have savepoints',
    run: async (db, assert) => {
      const orm = wrapDatabaseWithKysely<(typeof contractSchema)['types']>(db);
      const tag = (id: string) => ({ id, note_id: null, name: id });
      const mine = new Error('mine');
      await Promise.all(['a', 'b'].map((id) => orm.transaction().execute((tx) => tx.insertInto('tags').values(tag(id)).execute())));
      const thrown = await orm.transaction().execute(async (tx) => { await tx.deleteFrom('tags').execute(); throw mine; }).catch((e: unknown) => e);
      assert.equal(thrown, mine);
      const tx = await orm.startTransaction().execute();
      await tx.insertInto('tags').values(tag('c')).execute();
      const inner = await tx.savepoint('s').execute();
      await inner.insertInto('tags').values(tag('d')).execute();
      await inner.rollbackToSavepoint('s').execute();
      await tx.commit().execute();
      const refused = orm.transaction().setAccessMode('read only').execute((read) => read.deleteFrom('tags').execute());
      assert.equal(await codeOf(() => refused), 'ReadOnly');
      assert.deepEqual((await orm.selectFrom('tags').select('id').orderBy('id').execute()).map(({ id }) => id), ['a', 'b', 'c']);
    },
  },
  {
    name: 'kysely: a live query',
    run: async (db, assert) => {
      const orm = wrapDatabaseWithKysely<(typeof contractSchema)['types']>(db);
      const query = db.customQuery(fromKysely(orm.selectFrom('tags').select('name'))).watch({ throttleMs: 0 });
      query.registerListener({ onData: () => undefined });
      await until(() => !query.state.isLoading, 'the first result');
      await orm.insertInto('tags').values({ id: 't', note_id: null, name: 'N' }).execute();
      await until(() => query.state.data.length === 1, 'the change');
      assert.deepEqual(query.state.data, [{ name: 'N' }]);
      await query.close();
    },
  },
];
