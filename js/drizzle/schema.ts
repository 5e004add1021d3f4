/** Drizzle's tables as our `Schema`, so that an app declares its columns once. */
import { getTableColumns, is } from 'drizzle-orm';
import { getTableConfig, SQLiteColumn, SQLiteTable } from 'drizzle-orm/sqlite-core';
import { type Column, column, type ConflictPolicy, Schema, SyncError, Table } from '../index';

/** What our tables can say and Drizzle's can't, by the key of the table in `tables`. */
export type DrizzleTableOptions = {
  readonly localOnly?: boolean;
  readonly insertOnly?: boolean;
  readonly parents?: readonly string[];
  readonly conflict?: ConflictPolicy;
};

function columnOf(table: string, { name, columnType, getSQLType }: { name: string; columnType: string; getSQLType: () => string }): Column {
  if (columnType === 'SQLiteTextJson') {
    return column.json;
  }
  if (columnType === 'SQLiteBoolean') {
    return column.boolean;
  }
  const type = getSQLType().toLowerCase();
  if (type.startsWith('text') || type === 'numeric') {
    return column.text;
  }
  if (type === 'integer' || type === 'real' || type === 'blob') {
    return column[type];
  }
  throw new SyncError('InvalidSchema', `table '${table}': column '${name}' has a type that can not be synced (${type}); use text, integer or real`);
}

/**
 * The tables among `schema`'s values (relations and other things are left out) as our `Schema`. Each must have an `id` text
 * column. Columns that are `notNull` without a default become `required`; plain indexes are taken over; defaults, checks and
 * foreign keys are Drizzle's or the backend's business. Throws `InvalidSchema`.
 */
export function toSchema(schema: Readonly<Record<string, unknown>>, options: Readonly<Record<string, DrizzleTableOptions>> = {}): Schema {
  const tables: Record<string, Table> = {};
  for (const [key, table] of Object.entries(schema)) {
    if (!is(table, SQLiteTable)) {
      continue;
    }
    const { name, indexes } = getTableConfig(table);
    const columns = Object.values<SQLiteColumn>(getTableColumns(table)).filter((each) => each.name !== 'id');
    if (columns.length === Object.keys(getTableColumns(table)).length) {
      throw new SyncError('InvalidSchema', `table '${name}' needs a column id: text('id').primaryKey()`);
    }
    const declared: Record<string, string[]> = {};
    for (const { config } of indexes) {
      const names = config.columns.flatMap((each) => (is(each, SQLiteColumn) ? [each.name] : []));
      if (names.length === config.columns.length) {
        declared[config.name] = names;
      }
    }
    tables[name] = new Table(
      Object.fromEntries(columns.map((each) => [each.name, columnOf(name, { name: each.name, columnType: each.columnType, getSQLType: () => each.getSQLType() })])),
      {
        ...options[key],
        ...(options[key]?.localOnly === true ? {} : { required: columns.filter((each) => each.notNull && !each.hasDefault).map((each) => each.name) }),
        indexes: declared,
      }
    );
  }
  return new Schema(tables);
}
