/**
 * The schema as SQL, in short: STRICT tables, their indexes, an outbox, and triggers that fill it while the app writes.
 * Simpler than the engine's (rust/engine/src/store/ddl.rs); the contract tests say what both must do.
 */
import type { NativeTable } from '../types';

export const quote = (name: string): string => `"${name.replaceAll('"', '""')}"`;
const literal = (text: string): string => `'${text.replaceAll("'", "''")}'`;

export const outboxSql = `CREATE TABLE IF NOT EXISTS omnii_outbox (
  id INTEGER PRIMARY KEY AUTOINCREMENT, tx INTEGER NOT NULL, tbl TEXT NOT NULL, row_id TEXT NOT NULL, op TEXT NOT NULL,
  data TEXT, previous TEXT, metadata TEXT, row_before TEXT, error TEXT) STRICT`;

const sqlTypes: Readonly<Record<string, string>> = { integer: 'INTEGER', boolean: 'INTEGER', real: 'REAL', blob: 'BLOB' };

/** The table's name in SQL. */
export const sqlName = (table: NativeTable): string => table.viewName ?? table.name;

/** Name and declaration of each column but `id`. */
export function columnsOf(table: NativeTable): { name: string; sql: string }[] {
  const columns = table.columns.map(({ name, type }) => ({
    name,
    sql: `${quote(name)} ${sqlTypes[type] ?? 'TEXT'}${type === 'boolean' ? ` CHECK (${quote(name)} IN (0, 1))` : ''}`,
  }));
  return table.trackMetadata === true ? [...columns, { name: '_metadata', sql: '"_metadata" TEXT' }] : columns;
}

export function createTable(table: NativeTable): string {
  const columns = columnsOf(table).map(({ sql }) => `, ${sql}`).join('');
  return `CREATE TABLE ${quote(sqlName(table))} ("id" TEXT PRIMARY KEY NOT NULL CHECK (length("id") > 0)${columns}) STRICT`;
}

export function createIndexes(table: NativeTable): string[] {
  const names = new Set(['id', ...table.columns.map(({ name }) => name)]);
  return table.indexes.map(({ name, columns }) => {
    const terms = columns.map((term) => (names.has(term) || !term.startsWith('-') ? quote(term) : `${quote(term.slice(1))} DESC`));
    return `CREATE INDEX IF NOT EXISTS ${quote(`${table.name}__${name}`)} ON ${quote(sqlName(table))} (${terms.join(', ')})`;
  });
}

/**
 * The functions they call: `omnii_capturing()`, `omnii_transaction()`, and `omnii_touched(table, id)`, which hears of every
 * changed row, whoever changes it.
 */
export function createTriggers(table: NativeTable): string[] {
  const name = sqlName(table);
  const t = literal(table.name);
  const synced = table.localOnly !== true;
  const trigger = (event: string, body: string): string =>
    `DROP TRIGGER IF EXISTS ${quote(`omnii_${event}_${name}`)};
     CREATE TRIGGER ${quote(`omnii_${event}_${name}`)} AFTER ${event} ON ${quote(name)} BEGIN ${body} END`;
  const touched = (row: 'NEW' | 'OLD'): string => `SELECT omnii_touched(${literal(name)}, ${row}."id");`;
  if (!synced) {
    return [trigger('INSERT', touched('NEW')), trigger('UPDATE', touched('NEW')), trigger('DELETE', touched('OLD'))];
  }
  const record = (row: 'NEW' | 'OLD', only?: readonly string[], changed = false): string => {
    const terms = table.columns
      .filter((column) => only === undefined || only.includes(column.name))
      .map(({ name: c }) => {
        const where = changed ? ` WHERE OLD.${quote(c)} IS NOT NEW.${quote(c)}` : '';
        return `SELECT ${literal(c)} AS k, ${row}.${quote(c)} AS v${where}`;
      });
    return terms.length === 0 ? "'{}'" : `(SELECT json_group_object(k, v) FROM (${terms.join(' UNION ALL ')}))`;
  };
  const previous = (changed: boolean): string => {
    const track = table.trackPrevious;
    return track === undefined ? 'NULL' : record('OLD', track.columns, changed && track.onlyWhenChanged === true);
  };
  const refuse = (condition: string, why: string): string => `SELECT RAISE(ABORT, ${literal(why)}) WHERE omnii_capturing() AND ${condition};`;
  const values = table.columns.flatMap(({ name: c, type }) =>
    type === 'json'
      ? [refuse(`NEW.${quote(c)} IS NOT NULL AND NOT json_valid(NEW.${quote(c)})`, `${table.name}.${c}: a JSON column must hold valid JSON (use JSON.stringify)`)]
      : type === 'real'
        ? [refuse(`NEW.${quote(c)} IN (9e999, -9e999)`, `${table.name}.${c}: infinity can't be synced`)]
        : []
  );
  const metadata = table.trackMetadata === true;
  const enter = (op: string, row: 'NEW' | 'OLD', data: string, old: string, before: string, where = ''): string =>
    `INSERT INTO omnii_outbox (tx, tbl, row_id, op, data, previous, metadata, row_before)
     SELECT omnii_transaction(), ${t}, ${row}."id", '${op}', ${data}, ${old}, ${metadata && row === 'NEW' ? 'NEW."_metadata"' : 'NULL'}, ${before}
     WHERE omnii_capturing()${where};`;
  // An insertOnly row goes at once, and takes it along.
  const forget = metadata && table.insertOnly !== true ? `UPDATE ${quote(name)} SET "_metadata" = NULL WHERE "id" = NEW."id" AND "_metadata" IS NOT NULL;` : '';
  const noUpdate = table.insertOnly === true ? refuse('1', `table '${table.name}' is insertOnly: rows can't be changed or deleted`) : '';
  /** The delete directly before an insert of the same row: a REPLACE, which is one insert. */
  const removed = (last: string): string =>
    `tbl = ${t} AND row_id = NEW."id" AND op = 'DELETE' AND tx = omnii_transaction() AND id = (SELECT ${last} FROM omnii_outbox)`;
  const anyChanged = table.columns.map(({ name: c }) => `OLD.${quote(c)} IS NOT NEW.${quote(c)}`).join(' OR ') || '0';
  return [
    trigger(
      'INSERT',
      `${values.join(' ')}
       ${refuse(
         `length(NEW."id") = 36 AND NEW."id" GLOB '????????-????-????-????-*' AND NEW."id" <> lower(NEW."id")`,
         'write a UUID in lower case: the backend does, and would make a second row of it'
       )}
       ${enter('PUT', 'NEW', record('NEW'), 'NULL', `(SELECT row_before FROM omnii_outbox WHERE ${removed('max(id)')})`)}
       DELETE FROM omnii_outbox WHERE omnii_capturing() AND ${removed('max(id) - 1')};
       ${forget} ${touched('NEW')}
       ${table.insertOnly === true ? `DELETE FROM ${quote(name)} WHERE "id" = NEW."id";` : ''}`
    ),
    trigger(
      'UPDATE',
      `${noUpdate}${values.join(' ')}
       ${refuse('OLD."id" IS NOT NEW."id"', "the id of a row can't be changed; insert a new row and delete the old one")}
       ${enter('PATCH', 'NEW', record('NEW', undefined, true), previous(true), record('OLD'), ` AND (${anyChanged})`)} ${forget} ${touched('NEW')}`
    ),
    trigger(
      'DELETE',
      table.insertOnly === true
        ? touched('OLD')
        : `${enter('DELETE', 'OLD', 'NULL', previous(false), record('OLD'))} ${touched('OLD')}`
    ),
  ];
}
