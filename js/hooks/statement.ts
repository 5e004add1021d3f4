/**
 * What a hook is asked to show, as one value: SQL, parameters, and a key that is the same whenever both are, so that
 * parameters and queries made inline at each render change nothing.
 */
import type { SqlParameter } from '../parameters';
import type { CompilableQuery } from './liveDatabase';
import { asError } from './reading';

export type Statement<RowType> = {
  readonly key: string;
  readonly sql: string;
  readonly parameters: readonly SqlParameter[];
  /** null for SQL text. */
  readonly compilable: CompilableQuery<RowType> | null;
};

/** One parameter as text, its type included: 1, '1', 1n and true are different. */
function parameterKey(value: unknown): string {
  if (typeof value === 'string') {
    return JSON.stringify(value);
  }
  if (typeof value === 'number') {
    return Object.is(value, -0) ? '-0' : String(value);
  }
  if (typeof value === 'bigint') {
    return `${value}n`;
  }
  if (value instanceof ArrayBuffer) {
    return `b${new Uint8Array(value).join()}`;
  }
  if (ArrayBuffer.isView(value)) {
    return `b${new Uint8Array(value.buffer, value.byteOffset, value.byteLength).join()}`;
  }
  if (typeof value === 'object' && value !== null) {
    // No parameter SQLite can take. It is refused when the query runs, by position.
    try {
      return `o${JSON.stringify(value)}`;
    } catch {
      return 'o';
    }
  }
  return String(value);
}

const kinds = new WeakMap<object, number>();
let lastKind = 0;

/** Query builders make different objects of the same SQL: a key is shared only between queries of the same class. */
function kindOf(compilable: object): number {
  const prototype = (Object.getPrototypeOf(compilable) ?? Object.prototype) as object;
  let kind = kinds.get(prototype);
  if (kind === undefined) {
    lastKind += 1;
    kind = lastKind;
    kinds.set(prototype, kind);
  }
  return kind;
}

/** Never throws: what `compile` threw is the answer. */
export function statementOf<RowType>(
  query: string | CompilableQuery<RowType>,
  parameters: readonly unknown[] | undefined
): Statement<RowType> | Error {
  try {
    const compilable = typeof query === 'object' ? query : null;
    const { sql, parameters: values } = compilable?.compile() ?? { sql: query as string, parameters: parameters ?? [] };
    const list = Array.isArray(values) ? (values as readonly unknown[]) : [values];
    return {
      key: `${compilable === null ? 's' : kindOf(compilable)} ${sql} [${list.map(parameterKey).join(', ')}]`,
      sql,
      parameters: values as readonly SqlParameter[],
      compilable,
    };
  } catch (thrown) {
    return asError(thrown);
  }
}
