/**
 * Statements of the app that the engine does not run. The engine asks SQLite's authorizer, which sql.js does not have; here
 * the text is looked at, so a statement that hides what it does may get through.
 */
import type { NativeTable } from '../types';
import { nativeError } from './nativeError';
import { sqlName } from './tables';

const pragmas =
  /^\s*pragma\s+(?:\w+\.)?(user_version|journal_mode|recursive_triggers|writable_schema|locking_mode|trusted_schema|query_only|count_changes)\s*[=(]/i;

/** Throws `BadArgument` if the statement must not run. */
export function refuseForbidden(sql: string, tables: readonly NativeTable[], inTransaction: boolean): void {
  const text = sql.replace(/^(?:\s|--[^\n]*(?:\n|$)|\/\*[\s\S]*?\*\/)+/, '');
  if (/^(begin|commit|end|vacuum)\b/i.test(text) || (/^rollback\b/i.test(text) && !/^rollback\s+(transaction\s+)?to\b/i.test(text))) {
    throw nativeError('BadArgument', 'BEGIN, COMMIT, ROLLBACK and VACUUM do not work as statements; use writeTransaction()');
  }
  if (!inTransaction && /^savepoint\b/i.test(text)) {
    throw nativeError('BadArgument', 'BEGIN and SAVEPOINT do not work in execute(); use writeTransaction()');
  }
  const pragma = pragmas.exec(text)?.[1];
  if (pragma !== undefined) {
    throw nativeError('BadArgument', `PRAGMA ${pragma} can't be set: the sync engine relies on it`);
  }
  const ours = /^(?:with\b[\s\S]*?\b)?(?:insert\b|replace\b|update\b|delete\b)[\s\S]*?\b(?:into|update|from)\s+["`[]?(omnii_\w*)/i.exec(text);
  const updated = /^update\s+(?:or\s+\w+\s+)?["`[]?(omnii_\w*)/i.exec(text);
  const table = updated?.[1] ?? (/^(with|insert|replace|delete)/i.test(text) ? ours?.[1] : undefined);
  if (table !== undefined) {
    throw nativeError('BadArgument', `table '${table}' belongs to the sync engine and can't be written`);
  }
  const changed = /^(?:drop\s+table\s+(?:if\s+exists\s+)?|alter\s+table\s+)["`[]?([^\s"`\];]+)/i.exec(text)?.[1];
  if (changed !== undefined && (/^omnii_/i.test(changed) || tables.some((t) => sqlName(t).toLowerCase() === changed.toLowerCase()))) {
    throw nativeError('BadArgument', `table '${changed}' is synced; change it through the schema`);
  }
}
