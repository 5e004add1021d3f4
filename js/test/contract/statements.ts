/** Statements, values and errors. */
import { type Case, codeOf, note } from './cases';

export const statements: readonly Case[] = [
  {
    name: 'values come back as they were bound, with their SQL type',
    run: async (db, assert) => {
      const sql = 'SELECT ? AS value, typeof(?1) AS type';
      for (const [bound, value, type] of [
        [null, null, 'null'], [true, 1, 'integer'], [0, 0, 'integer'], [-42, -42, 'integer'], [2 ** 31, 2 ** 31, 'integer'],
        [Number.MAX_SAFE_INTEGER, Number.MAX_SAFE_INTEGER, 'integer'], [5n, 5, 'integer'],
        [9007199254740993n, 9007199254740993n, 'integer'], [-9223372036854775808n, -9223372036854775808n, 'integer'],
        [0.5, 0.5, 'real'], ['ü😀\0x', 'ü😀\0x', 'text'], [new Uint8Array([0, 255]).buffer, new Uint8Array([0, 255]).buffer, 'blob'],
      ] as const) {
        assert.deepEqual(await db.get(sql, [bound]), { value, type });
        assert.deepEqual((await db.execute(sql, [bound])).array, [{ value, type }]);
      }
    },
  },
  {
    name: 'what a statement answers',
    run: async (db, assert) => {
      const inserted = await note(db, 'a', 'first', 1);
      assert.deepEqual([inserted.rowsAffected, typeof inserted.insertId, inserted.array], [1, 'number', []]);
      await note(db, 'b', 'second', 2);
      const updated = await db.execute('UPDATE notes SET weight = 1.5');
      assert.deepEqual([updated.rowsAffected, updated.insertId], [2, undefined]);
      const returned = await db.execute('UPDATE notes SET rank = 3 WHERE id = ? RETURNING id, rank', ['a']);
      assert.deepEqual([returned.array, returned.rowsAffected], [[{ id: 'a', rank: 3 }], 1]);
      assert.equal((await db.execute('SELECT * FROM notes')).rowsAffected, 0);
      assert.equal((await db.execute('DELETE FROM notes')).rowsAffected, 2);
      assert.deepEqual(await db.getAll('SELECT * FROM notes'), []);
    },
  },
  {
    name: 'raw rows keep columns of one name apart',
    run: async (db, assert) => {
      const { columnNames, rawRows, rowsAffected } = await db.executeRaw('SELECT 1 AS x, 2 AS x, ? AS y', ['z']);
      assert.deepEqual([columnNames, rawRows, rowsAffected], [['x', 'x', 'y'], [[1, 2, 'z']], 0]);
    },
  },
  {
    name: 'a batch is all or nothing',
    run: async (db, assert) => {
      const sql = 'INSERT INTO notes (id, title) VALUES (?, ?)';
      assert.equal((await db.executeBatch(sql, [['a', '1'], ['b', '2']])).rowsAffected, 2);
      assert.equal(await codeOf(() => db.executeBatch(sql, [['c', '3'], ['a', '4']])), 'Constraint');
      assert.equal((await db.getAll('SELECT 1 FROM notes')).length, 2);
      assert.equal((await db.executeBatch(sql, [])).rowsAffected, 0);
    },
  },
  {
    name: 'errors have codes',
    run: async (db, assert) => {
      await note(db, 'a');
      const cases: [code: string, sql: string, parameters?: (string | number)[]][] = [
        ['Sql', 'SELEKT 1'],
        ['Sql', 'SELECT * FROM nowhere'],
        ['Constraint', "INSERT INTO notes (id) VALUES ('a')"],
        ['Constraint', "INSERT INTO notes (id, rank) VALUES ('b', 'many')"],
        ['Constraint', "INSERT INTO notes (id) VALUES ('')"],
        ['Constraint', 'INSERT INTO notes (id) VALUES (NULL)'],
        ['Constraint', "INSERT INTO notes (id, meta) VALUES ('b', 'no JSON')"],
        ['Constraint', "INSERT INTO notes (id, weight) VALUES ('b', 9e999)"],
        ['Constraint', "UPDATE notes SET id = 'c'"],
        ['Constraint', "INSERT INTO notes (id) VALUES ('AAAAAAAA-AAAA-4AAA-8AAA-AAAAAAAAAAAA')"],
        ['BadArgument', 'SELECT ?', []],
        ['BadArgument', 'SELECT 1', [1]],
        ['BadArgument', 'SELECT 1; SELECT 2'],
        ['BadArgument', '-- nothing'],
        ['BadArgument', 'BEGIN'],
        ['BadArgument', 'SAVEPOINT s'],
        ['BadArgument', 'DELETE FROM omnii_outbox'],
        ['BadArgument', 'DROP TABLE notes'],
        ['BadArgument', 'ALTER TABLE notes ADD COLUMN more TEXT'],
        ['BadArgument', 'PRAGMA recursive_triggers = OFF'],
      ];
      for (const [code, sql, parameters] of cases) {
        assert.equal(await codeOf(() => db.execute(sql, parameters)), code, sql);
      }
      assert.equal(await codeOf(() => db.getAll('DELETE FROM notes')), 'ReadOnly');
      assert.equal(await codeOf(() => db.get('SELECT 1 FROM notes WHERE 0')), 'NotFound');
      assert.deepEqual(await db.getAll('SELECT id FROM notes'), [{ id: 'a' }]);
    },
  },
  {
    name: 'reads on the JS thread',
    run: async (db, assert) => {
      await note(db, 'a', 'first');
      assert.deepEqual(db.getAllSync('SELECT id, title FROM notes'), [{ id: 'a', title: 'first' }]);
      assert.equal(db.getOptionalSync('SELECT id FROM notes WHERE id = ?', ['x']), null);
    },
  },
  {
    name: 'the tables of a query, behind views and joins',
    run: async (db, assert) => {
      assert.deepEqual(await db.resolveTables('SELECT * FROM notes JOIN tags ON note_id = notes.id'), ['notes', 'tags']);
      await db.execute('CREATE VIEW titles AS SELECT title FROM notes');
      assert.deepEqual(await db.resolveTables('SELECT * FROM titles WHERE title > ?', ['a']), ['notes']);
      assert.deepEqual(await db.resolveTables('SELECT (SELECT count(*) FROM tags)'), ['tags']);
    },
  },
];
