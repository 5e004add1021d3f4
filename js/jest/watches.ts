/**
 * Watched queries of the fake: run again after a commit that changed one of their tables, at once for the first one and then
 * at most every `throttleMs`. A result that is the same as before is not announced.
 */
import { isNativeFailure } from './nativeError';
import type { Cell, RawResult } from './sqlite';
import { objectsOf } from './sqlite';
import type { Changes, Store } from './store';

type Watch = {
  readonly sql: string;
  readonly parameters: readonly unknown[];
  readonly tables: ReadonlySet<string>;
  readonly throttleMs: number;
  taken: readonly string[] | null;
  waiting: { readonly result: RawResult; readonly keys: string[] } | null;
  announced: readonly string[] | null;
  timer: ReturnType<typeof setTimeout> | undefined;
  due: boolean;
};

/** Text that is the same for the same cells, with their types. */
function keyOf(cells: readonly Cell[]): string {
  return JSON.stringify(
    cells.map((cell) =>
      cell instanceof ArrayBuffer ? { blob: [...new Uint8Array(cell)] } : typeof cell === 'bigint' ? { big: cell.toString() } : Object.is(cell, -0) ? '-0' : cell
    )
  );
}

const same = (a: readonly string[] | null, b: readonly string[]): boolean =>
  a !== null && a.length === b.length && a.every((key, index) => key === b[index]);

/** `changed` announces; `error` is '' if there is a result to take. */
export function createWatches(store: Store, changed: (watchId: number, error: string) => void) {
  const watches = new Map<number, Watch>();
  let lastId = 0;

  const look = (id: number, watch: Watch): void => {
    let error = '';
    try {
      const result = store.querySync(watch.sql, watch.parameters);
      const keys = [result.columnNames.join('\0'), ...result.rows.map(keyOf)];
      if (same(watch.announced, keys)) {
        return;
      }
      watch.waiting = { result, keys };
      watch.announced = keys;
    } catch (thrown) {
      const { code, message, retryable } = isNativeFailure(thrown) ? thrown : { code: 'Internal', message: String(thrown), retryable: false };
      error = JSON.stringify({ code, message, retryable });
      watch.announced = null;
    }
    changed(id, error);
  };
  const runNow = (id: number, watch: Watch): void => {
    watch.due = false;
    if (watch.throttleMs > 0) {
      watch.timer = setTimeout(() => {
        watch.timer = undefined;
        if (watch.due && watches.get(id) === watch) {
          runNow(id, watch);
        }
      }, watch.throttleMs);
      // A test must not wait for it.
      (watch.timer as { unref?: () => void }).unref?.();
    }
    look(id, watch);
  };

  return {
    watch: async (sql: string, parameters: readonly unknown[], options: string): Promise<number> => {
      const { throttleMs, tables } = JSON.parse(options) as { throttleMs: number; tables: string[] | null };
      await Promise.resolve();
      const { tables: read, readOnly } = store.explain(sql);
      if (!readOnly) {
        // The same refusal as a query's.
        store.querySync(sql, parameters);
      }
      lastId += 1;
      const id = lastId;
      const watch: Watch = {
        sql, parameters, throttleMs, tables: new Set((tables ?? read).map((name) => name.toLowerCase())),
        taken: null, waiting: null, announced: null, timer: undefined, due: false,
      };
      watches.set(id, watch);
      void Promise.resolve().then(() => {
        if (watches.get(id) === watch) {
          look(id, watch);
        }
      });
      return id;
    },
    take: (id: number): object | null => {
      const watch = watches.get(id);
      const waiting = watch?.waiting;
      if (watch === undefined || waiting === null || waiting === undefined) {
        return null;
      }
      watch.waiting = null;
      const objects = objectsOf(waiting.result);
      const before = watch.taken;
      watch.taken = waiting.keys;
      if (before === null || before[0] !== waiting.keys[0]) {
        return { rows: objects, kept: null };
      }
      const left = new Map<string, number[]>();
      before.slice(1).forEach((key, index) => left.set(key, [...(left.get(key) ?? []), index]));
      const kept = waiting.keys.slice(1).map((key) => left.get(key)?.shift() ?? -1);
      return { rows: objects.filter((_, index) => kept[index] === -1), kept };
    },
    unwatch: (id: number): void => {
      clearTimeout(watches.get(id)?.timer);
      watches.delete(id);
    },
    committed: (changes: Changes): void => {
      for (const [id, watch] of [...watches]) {
        if (![...changes.keys()].some((table) => watch.tables.has(table.toLowerCase()))) {
          continue;
        }
        if (watch.timer !== undefined) {
          watch.due = true;
        } else {
          runNow(id, watch);
        }
      }
    },
    clear: (): void => {
      for (const { timer } of watches.values()) {
        clearTimeout(timer);
      }
      watches.clear();
    },
  };
}
