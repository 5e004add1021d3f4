/** What the hooks need of a database: the part that watches and reads. */
import type { Database } from '../database';

/** A query of a query builder (Kysely, Drizzle): what it is in SQL, and how to run it. */
export type CompilableQuery<RowType> = {
  execute(): Promise<RowType[]>;
  compile(): { readonly sql: string; readonly parameters: readonly unknown[] };
};

export type LiveDatabase = Pick<Database, 'getAll' | 'query' | 'customQuery'>;
