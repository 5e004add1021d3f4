/**
 * The app's tables, declared as PowerSync users write them, with row types inferred from the declaration.
 *
 * Owns the shapes; `schemaCheck.ts` owns what is valid. A constructed `Schema` is always valid.
 */
import { checkSchema } from './schemaCheck';
import type { NativeSchema, NativeTable } from './types';

/** A column: what it holds, and thereby the type it has in rows. */
export type Column<Type extends ColumnType = ColumnType> = { readonly type: Type };

/** What a column holds; {@link column} says what each means. */
export type ColumnType = 'text' | 'integer' | 'real' | 'json' | 'boolean' | 'timestamp' | 'blob';

/**
 * What a column may be declared as. Every column but `id` may be NULL.
 *
 * - `column.text`: a string.
 * - `column.integer`: a number; beyond ±(2^53 − 1) rows hold a `bigint`.
 * - `column.real`: a number.
 * - `column.json`: a string of JSON in results and parameters, a JSON value on the wire: write
 *   `JSON.stringify(value)`, read `JSON.parse(row.properties)`.
 * - `column.boolean`: 0 or 1 in results and in SQL (`true` and `false` work as parameters), true or false on the wire.
 *   Anything else is refused.
 * - `column.timestamp`: a string, ISO 8601, kept exactly as it was written or came.
 * - `column.blob`: an ArrayBuffer; in `localOnly` tables only.
 */
export const column = {
  text: { type: 'text' },
  integer: { type: 'integer' },
  real: { type: 'real' },
  json: { type: 'json' },
  boolean: { type: 'boolean' },
  timestamp: { type: 'timestamp' },
  blob: { type: 'blob' },
} as const satisfies Record<ColumnType, Column>;

/** Columns by name, `id` left out. */
export type Columns = Readonly<Record<string, Column>>;

/**
 * Whose version of a row prevails while the device has changes of it that the backend has not acknowledged.
 * `lastWriteWins`: column by column, the write that reaches the backend last. `clientWins`: the device's whole row.
 * `serverWins`: the backend's row; what was changed here meanwhile is dropped.
 */
export type ConflictPolicy = NativeTable['conflictPolicy'];

/** Which values from before a change are kept with it. */
export type TrackPreviousOptions<Name extends string = string> = {
  /** Of these columns only. Default all. */
  readonly columns?: readonly Name[];
  /** Of an update, only of the columns that it changes. Default false. */
  readonly onlyWhenChanged?: boolean;
};

/** What a table may say besides its columns. `Name` is the union of its column names. */
export type TableOptions<Name extends string = string> = {
  /**
   * Secondary indexes: columns by index name, in order; `'-created_at'` for descending order. `id` may be named. Default none.
   */
  readonly indexes?: Readonly<Record<string, readonly (Name | 'id' | `-${Name | 'id'}`)[]>>;
  /** The table is never uploaded, pulled or cleared by syncing: drafts, settings, caches. Default false. */
  readonly localOnly?: boolean;
  /**
   * Rows are uploaded and not kept: the table is always empty and never pulled. UPDATE and DELETE are refused. For logs.
   * Default false.
   */
  readonly insertOnly?: boolean;
  /** Keeps the values from before each UPDATE and DELETE with the pending change (`CrudEntry.previousValues`). Default false. */
  readonly trackPrevious?: boolean | TrackPreviousOptions<Name>;
  /** Another name of `trackPrevious`. */
  readonly trackPreviousValues?: boolean | TrackPreviousOptions<Name>;
  /**
   * Adds a column `_metadata`: what INSERT or UPDATE writes there is kept with the pending change (`CrudEntry.metadata`) and
   * nowhere else. It always reads as NULL and is never uploaded by the engine. A DELETE takes none. Default false.
   */
  readonly trackMetadata?: boolean;
  /** For schemas written for PowerSync. Updates that change nothing are never recorded here, whatever this says. */
  readonly ignoreEmptyUpdates?: boolean;
  /** What the table is called in SQL. On the wire, in errors and in pending changes it keeps its own name. Default that name. */
  readonly viewName?: string;
  /** Columns the backend demands a value for (NOT NULL without a default); every upload of a row carries them. Default none. */
  readonly required?: readonly Name[];
  /** Tables whose rows must reach the backend before rows of this one refer to them. Default none. */
  readonly parents?: readonly string[];
  /** What happens when a row was changed here and there. Default `lastWriteWins`. */
  readonly conflict?: ConflictPolicy;
  /** Another name of `conflict`. */
  readonly conflictPolicy?: ConflictPolicy;
};

/**
 * One table. An `id TEXT PRIMARY KEY` is implied and must not be declared. Checked when the `Schema` is made, because
 * only there a table has a name to put in the message.
 *
 * ```ts
 * new Table({ entity_type: column.text, name: column.text, properties: column.json },
 *           { indexes: { by_type: ['entity_type'] }, required: ['entity_type', 'name'] })
 * ```
 */
export class Table<C extends Columns = Columns> {
  /** As declared. */
  readonly columns: C;
  /** As declared. */
  readonly options: TableOptions;

  constructor(columns: C, options: TableOptions<Extract<keyof C, string>> = {}) {
    this.columns = columns;
    this.options = options;
  }
}

/** Tables by name. */
export type Tables = Readonly<Record<string, Table>>;

type Value<Type extends ColumnType> = {
  text: string;
  integer: number;
  real: number;
  json: string;
  boolean: number;
  timestamp: string;
  blob: ArrayBuffer;
}[Type];

/**
 * The row type of a table: `RowOf<typeof tasks>`. `integer` columns are typed `number`; where an app stores integers
 * beyond 2^53 − 1 it has to expect `bigint` too.
 */
export type RowOf<T extends Table> = { id: string } & { [K in keyof T['columns']]: Value<T['columns'][K]['type']> | null };

/**
 * All tables of an app.
 *
 * ```ts
 * export const schema = new Schema({ tasks: new Table({ title: column.text }) });
 * export type Rows = (typeof schema)['types']; // Rows['tasks'] is { id: string; title: string | null }
 * ```
 *
 * The constructor throws `SyncError{code: 'InvalidSchema'}` naming table and column: unknown column types, a declared
 * `id`, empty names, names that differ in case only, names beginning with `omnii_` or `sqlite_`, more than 499
 * columns, indexes, `required` or `trackPrevious` naming unknown columns, unknown parents, parents that form a cycle (a
 * table may be its own parent), an unknown conflict policy, two tables of one name in SQL, blobs in a table that is not
 * `localOnly`, `localOnly` together with what is about uploads, a schema without tables.
 */
export class Schema<T extends Tables = Tables> {
  /** As declared. */
  readonly tables: T;
  /** Exists for the compiler only: row types by table name. */
  readonly types!: { [K in keyof T]: RowOf<T[K]> };

  constructor(tables: T) {
    checkSchema(tables);
    this.tables = tables;
  }

  /** The schema as plain data, in the order of declaration; what the engine is given. */
  toJSON(): NativeSchema {
    return { tables: Object.entries<Table>(this.tables).map(([name, table]) => toNative(name, table)) };
  }
}

function toNative(name: string, { columns, options }: Table): NativeTable {
  const track = options.trackPrevious ?? options.trackPreviousValues ?? false;
  const { columns: tracked, onlyWhenChanged } = typeof track === 'object' ? track : {};
  return {
    name,
    columns: Object.entries(columns).map(([columnName, { type }]) => ({ name: columnName, type })),
    indexes: Object.entries(options.indexes ?? {}).map(([indexName, terms]) => ({ name: indexName, columns: [...terms] })),
    required: [...(options.required ?? [])],
    parents: [...(options.parents ?? [])],
    conflictPolicy: options.conflict ?? options.conflictPolicy ?? 'lastWriteWins',
    ...(options.localOnly === true && { localOnly: true }),
    ...(options.insertOnly === true && { insertOnly: true }),
    ...(track !== false && {
      trackPrevious: { ...(tracked && { columns: [...tracked] }), ...(onlyWhenChanged === true && { onlyWhenChanged }) },
    }),
    ...(options.trackMetadata === true && { trackMetadata: true }),
    ...(options.viewName !== undefined && options.viewName !== name && { viewName: options.viewName }),
  };
}
