/** The changes of the app that wait for the backend, and those that it refused, in `omnii_outbox` of the fake's store. */
import type { NativeCrud, NativeCrudEntry, NativeSchema } from '../types';
import type { Connection } from './sqlite';
import { quote, sqlName } from './tables';

type Columns = Record<string, string | number | null>;

type Entry = NativeCrudEntry & { readonly before: Columns | null; readonly error: string | null };

const operations = { PUT: 'insert', PATCH: 'update', DELETE: 'delete' } as const;

function parse(text: unknown): Columns | null {
  return typeof text === 'string' ? (JSON.parse(text) as Columns) : null;
}

function entries(connection: Connection, where: string, parameters: readonly unknown[] = []): Entry[] {
  const sql = `SELECT id, tx, tbl, row_id, op, data, previous, metadata, row_before, error FROM omnii_outbox WHERE ${where} ORDER BY id`;
  return connection.run(sql, parameters).rows.map(([id, tx, table, rowId, op, data, previous, metadata, before, error]) => ({
    id: id as number,
    transaction: tx as number,
    table: table as string,
    rowId: rowId as string,
    op: op as Entry['op'],
    data: parse(data),
    previous: parse(previous),
    metadata: metadata as string | null,
    before: parse(before),
    error: error as string | null,
  }));
}

/** What apps and the fake backend see of an entry: of a new row only what is not NULL, unless it replaces another. */
function plain({ id, transaction, table, rowId, op, data, previous, metadata, before }: Entry): NativeCrudEntry {
  const isNew = op === 'PUT' && before === null && data !== null;
  const columns = isNew ? Object.fromEntries(Object.entries(data).filter(([, value]) => value !== null)) : data;
  return { id, transaction, table, rowId, op, data: columns, previous, metadata };
}

export function counts(connection: Connection): { pending: number; parked: number } {
  const [row] = connection.run('SELECT count(*) FILTER (WHERE error IS NULL), count(error) FROM omnii_outbox', []).rows;
  return { pending: row?.[0] as number, parked: row?.[1] as number };
}

export const pending = (connection: Connection): NativeCrudEntry[] => entries(connection, 'error IS NULL').map(plain);

/** See `getCrud` in NativeOmniiSync.ts. */
export function crud(
  connection: Connection,
  { after, transactions, entries: limit }: { after: number | null; transactions: number; entries: number }
): NativeCrud {
  const all = entries(connection, 'error IS NULL AND id > ?', [after ?? -1]).map(plain);
  const seen = new Set<number>();
  const taken: NativeCrudEntry[] = [];
  for (const entry of all) {
    const isNew = !seen.has(entry.transaction);
    const full = taken.length >= limit && (transactions === 0 || isNew);
    if (full || (transactions > 0 && isNew && seen.size === transactions)) {
      break;
    }
    seen.add(entry.transaction);
    taken.push(entry);
  }
  return { entries: taken, hasMore: taken.length < all.length };
}

export function complete(connection: Connection, lastId: number): void {
  connection.run('DELETE FROM omnii_outbox WHERE error IS NULL AND id <= ?', [lastId]);
}

export function stats(connection: Connection, includeSize: boolean): { count: number; size: number | null } {
  const sql = 'SELECT count(*), coalesce(sum(length(CAST(data AS BLOB))), 0) FROM omnii_outbox WHERE error IS NULL';
  const [row] = connection.run(sql, []).rows;
  return { count: row?.[0] as number, size: includeSize ? (row?.[1] as number) : null };
}

export function park(connection: Connection, ids: readonly number[], reason: string): void {
  for (const id of ids) {
    connection.run('UPDATE omnii_outbox SET error = ? WHERE id = ?', [reason, id]);
  }
}

const chosen = (connection: Connection, ids: string): Entry[] => {
  const wanted = ids === '' ? null : new Set(JSON.parse(ids) as number[]);
  return entries(connection, 'error IS NOT NULL').filter(({ id }) => wanted?.has(id) ?? true);
};

/** As `ParkedChange` (parked.ts). */
export function parked(connection: Connection): object[] {
  return entries(connection, 'error IS NOT NULL').map(({ id, transaction, table, rowId, op, data, error }) => ({
    id, transactionId: transaction, table, rowId, operation: operations[op], columns: data, reason: error,
  }));
}

export function retry(connection: Connection, ids: string): number {
  const found = chosen(connection, ids);
  for (const { id } of found) {
    connection.run('UPDATE omnii_outbox SET error = NULL WHERE id = ?', [id]);
  }
  return found.length;
}

/** Puts a row as the backend has it; its column names must be the table's. */
export function putRow(connection: Connection, table: string, row: Readonly<Record<string, unknown>>): void {
  const names = Object.keys(row);
  const updates = names.filter((name) => name !== 'id').map((name) => `${quote(name)} = excluded.${quote(name)}`);
  connection.run(
    `INSERT INTO ${quote(table)} (${names.map(quote).join(', ')}) VALUES (${names.map(() => '?').join(', ')})
     ON CONFLICT ("id") DO ${updates.length === 0 ? 'NOTHING' : `UPDATE SET ${updates.join(', ')}`}`,
    Object.values(row)
  );
}

/** Gives changes up: the row becomes what it was before the first change that is kept of it, with the others on top. */
export function discard(connection: Connection, schema: NativeSchema, ids: string): number {
  const found = chosen(connection, ids);
  let count = 0;
  for (const { id, table, rowId, op } of found) {
    const declared = schema.tables.find(({ name }) => name === table);
    const all = entries(connection, 'tbl = ? AND row_id = ?', [table, rowId]);
    if (declared === undefined || !all.some((entry) => entry.id === id)) {
      continue;
    }
    const gone = all.filter((entry) => entry.id === id || (op === 'PUT' && entry.id > id));
    count += gone.length;
    const name = sqlName(declared);
    connection.run(`DELETE FROM ${quote(name)} WHERE id = ?`, [rowId]);
    const first = all[0]?.before ?? null;
    if (first !== null) {
      putRow(connection, name, { id: rowId, ...first });
    }
    for (const entry of all) {
      if (gone.includes(entry)) {
        connection.run('DELETE FROM omnii_outbox WHERE id = ?', [entry.id]);
      } else if (entry.op === 'DELETE') {
        connection.run(`DELETE FROM ${quote(name)} WHERE id = ?`, [rowId]);
      } else {
        putRow(connection, name, { id: rowId, ...entry.data });
      }
    }
  }
  return count;
}
