/**
 * The parameters of a statement, as SQLite numbers them, and a way to bind integers that sql.js can't bind: it knows 32 bits
 * and takes larger numbers for fractions and `bigint` for text. Where such an integer is given, its mark in the SQL text is
 * replaced by a cast of its decimal digits. Reads SQL only as far as strings, quoted names and comments.
 */

/** A mark: where it stands in the text, and which parameter it means (from 1). */
type Mark = { readonly from: number; readonly to: number; readonly number: number };

const token =
  /--[^\n]*|\/\*[\s\S]*?(?:\*\/|$)|'(?:[^']|'')*'|"(?:[^"]|"")*"|`(?:[^`]|``)*`|\[[^\]]*\]|\?\d*|[:@$][A-Za-z_][\w$]*|[A-Za-z_][\w$]*/g;

/** The marks of a statement and how many parameters it takes. */
export function findMarks(sql: string): { marks: readonly Mark[]; count: number } {
  const marks: Mark[] = [];
  const named = new Map<string, number>();
  let count = 0;
  for (const { 0: text, index } of sql.matchAll(token)) {
    let number: number;
    if (text.startsWith('?')) {
      number = text === '?' ? count + 1 : Number(text.slice(1));
    } else if (/^[:@$]/.test(text)) {
      number = named.get(text) ?? count + 1;
      named.set(text, number);
    } else {
      continue;
    }
    count = Math.max(count, number);
    marks.push({ from: index, to: index + text.length, number });
  }
  return { marks, count };
}

function isLarge(value: unknown): value is number | bigint {
  return typeof value === 'bigint' || (typeof value === 'number' && Number.isSafeInteger(value) && value !== (value | 0));
}

export type BindValue = null | number | string | Uint8Array;

/** Text and values as sql.js can take them. */
export function prepareParameters(
  sql: string,
  marks: readonly Mark[],
  parameters: readonly unknown[]
): { sql: string; values: BindValue[] } {
  const values = parameters.map((value): BindValue => {
    if (typeof value === 'boolean') {
      return value ? 1 : 0;
    }
    if (value instanceof ArrayBuffer) {
      return new Uint8Array(value);
    }
    return isLarge(value) ? value.toString() : (value as BindValue);
  });
  if (!parameters.some(isLarge)) {
    return { sql, values };
  }
  let text = '';
  let done = 0;
  for (const { from, to, number } of marks) {
    // The plus takes the cast's affinity away, so that comparisons are those of a bound integer.
    text += sql.slice(done, from) + (isLarge(parameters[number - 1]) ? `(+CAST(?${number} AS INTEGER))` : `?${number}`);
    done = to;
  }
  return { sql: text + sql.slice(done), values };
}
