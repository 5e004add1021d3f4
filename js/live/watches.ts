/**
 * The engine's watches of one open database. Owns which watch an event belongs to, that an ended watch is silent, and that
 * results which arrive together do not hold up the JS thread: after some milliseconds of them the rest wait for the next
 * turn of the event loop, newest result only.
 */
import type { Calls } from '../calls';
import { type SyncError, toSyncError } from '../errors';
import type { NativeWatchEvent } from '../NativeOmniiSync';
import { checkParameters, checkSql, type SqlValues } from '../parameters';

/** What `takeWatched` answers; see NativeOmniiSync.ts. */
export type Taken = { rows: object[]; kept: number[] | null };

export type WatchSink = {
  /** There is a new result, or (null) the old one again after an error. */
  changed: (taken: Taken | null) => void;
  failed: (error: SyncError) => void;
};

export type WatchRequest = { sql: unknown; parameters: unknown; throttleMs: number; tables: readonly string[] | null };

export type Watches = {
  /** Answers the function that ends it. Errors come to the sink, never from here, and never before this has returned. */
  start: (request: WatchRequest, sink: WatchSink) => () => void;
  close: () => void;
};

/** Longest time that results may be delivered for in one turn of the event loop. */
const budgetMs = 8;
const firstRetryMs = 500;
const maxRetryMs = 30_000;

/** Runs deliveries at once, or in the next turn when this one has had enough. */
function createPace(deliver: (watchId: number) => void): (watchId: number) => void {
  const late = new Set<number>();
  let spentMs = 0;
  let turn: ReturnType<typeof setTimeout> | null = null;
  const timed = (watchId: number): void => {
    const began = Date.now();
    deliver(watchId);
    spentMs += Math.max(0, Date.now() - began);
    turn ??= setTimeout(next, 0);
  };
  const next = (): void => {
    turn = null;
    spentMs = 0;
    for (const watchId of late) {
      if (spentMs >= budgetMs) {
        turn ??= setTimeout(next, 0);
        break;
      }
      late.delete(watchId);
      timed(watchId);
    }
  };
  return (watchId) => {
    if (late.size > 0 || spentMs >= budgetMs) {
      late.add(watchId);
    } else {
      timed(watchId);
    }
  };
}

export function createWatches({ native, databaseId, isOpen, toError, whileOpen }: Calls): Watches {
  const sinks = new Map<number, WatchSink>();
  /** Errors of watches whose id this side has not been told yet. */
  const early = new Map<number, string>();
  let starting = 0;

  /** One of those that were starting knows its id, or has failed. What was heard early is kept for the others. */
  const started = (): void => {
    starting -= 1;
    if (starting === 0) {
      early.clear();
    }
  };

  const deliver = (watchId: number): void => {
    const sink = sinks.get(watchId);
    if (sink === undefined) {
      return;
    }
    let taken: Taken | null;
    try {
      taken = native.takeWatched(databaseId, watchId) as Taken | null;
    } catch (thrown) {
      sink.failed(toError(thrown));
      return;
    }
    sink.changed(taken);
  };
  const pace = createPace(deliver);
  const hear = ({ watchId, error }: NativeWatchEvent): void => {
    const sink = sinks.get(watchId);
    if (sink === undefined) {
      if (starting > 0) {
        early.set(watchId, error);
      }
    } else if (error === '') {
      pace(watchId);
    } else {
      sink.failed(toSyncError(JSON.parse(error)));
    }
  };
  const subscription = native.onWatchChanged((event) => {
    if (event.databaseId === databaseId) {
      hear(event);
    }
  });

  return {
    start: ({ sql, parameters, throttleMs, tables }, sink) => {
      let ended = false;
      let watchId: number | null = null;
      let retry: ReturnType<typeof setTimeout> | undefined;
      let values: SqlValues | null = null;
      const begin = async (): Promise<number> => {
        const text = checkSql(sql);
        // The app may change its array before a second attempt.
        values ??= [...checkParameters(parameters)];
        return native.watch(databaseId, text, values, JSON.stringify({ throttleMs: Math.round(throttleMs), tables }));
      };
      const attempt = (retryMs: number): void => {
        starting += 1;
        whileOpen(begin)
          .then(
            (id) => {
              const heard = early.get(id);
              early.delete(id);
              started();
              if (ended) {
                if (isOpen()) {
                  native.unwatch(databaseId, id);
                }
                return;
              }
              watchId = id;
              sinks.set(id, sink);
              if (heard !== undefined) {
                hear({ databaseId, watchId: id, error: heard });
              }
            },
            (error: unknown) => {
              started();
              if (!ended) {
                const failure = toError(error);
                if (failure.retryable) {
                  retry = setTimeout(() => {
                    attempt(Math.min(retryMs * 2, maxRetryMs));
                  }, retryMs);
                }
                sink.failed(failure);
              }
            }
          )
          .catch((thrown: unknown) => {
            console.error('@omnii/sync: a result could not be delivered', thrown);
          });
      };
      attempt(firstRetryMs);
      return () => {
        if (ended) {
          return;
        }
        ended = true;
        clearTimeout(retry);
        if (watchId !== null) {
          sinks.delete(watchId);
          if (isOpen()) {
            native.unwatch(databaseId, watchId);
          }
        }
      };
    },
    close: () => {
      subscription.remove();
      sinks.clear();
      early.clear();
    },
  };
}

/** The result after a change: kept rows are the same objects as in `previous`, which stays as it is. */
export function applyTaken(previous: readonly object[], { rows, kept }: Taken): object[] {
  if (kept === null) {
    return rows;
  }
  let fresh = 0;
  return kept.map((before) => (before >= 0 ? previous[before] : rows[fresh++])) as object[];
}

/** Whether they are the same objects in the same order: so it is when a query works again after an error. */
export function sameRows(one: readonly unknown[], other: readonly unknown[]): boolean {
  return one.length === other.length && one.every((row, index) => row === other[index]);
}
