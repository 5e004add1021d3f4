/**
 * Transactions and locks around a callback. Owns that each one ends exactly once: committed when the callback resolves,
 * rolled back when it throws, given back if it could not begin in time; statements the callback forgot to await are waited
 * for first. Those that write wait for each other in the gate; those that read wait for nobody and keep nobody waiting.
 */
import { checkTimeoutMs } from './arguments';
import type { Calls } from './calls';
import { describe, isRecord } from './describe';
import { SyncError } from './errors';
import { type Holder, lockTimedOut } from './gate';
import type { NativeRawResult, Queries } from './queries';
import { createQueries } from './statements';
import type { NativeResult } from './types';

/** What the callback of a lock works with. After the callback has ended every method rejects with `TransactionEnded`. */
export type LockContext = Queries;

/** What the callback of a transaction works with. */
export type Transaction = LockContext & {
  /** Commits now instead of at the end of the callback; afterwards every method rejects with `TransactionEnded`. */
  commit(): Promise<void>;
  /** Takes everything back; the callback may still answer something. Otherwise as `commit`. */
  rollback(): Promise<void>;
};

/** Longest time to wait for the beginning, in milliseconds (0 to 24 h), then it rejects with `Busy`. Default: as long as it takes. */
export type LockTimeout = number | { readonly timeoutMs?: number | undefined };

/**
 * Transactions and locks. What the callback throws is rethrown unchanged. Inside a callback that writes use only what it is
 * given: other calls that need the writer wait for its end, and are rejected with `NestedTransaction` when the callback
 * waits for them.
 */
export type Transactions = {
  /**
   * Runs `callback` in one write transaction, after those begun before it. Commits when it resolves and answers its
   * result; rolls back when it throws. Row and upload entry commit together.
   */
  writeTransaction<T>(callback: (tx: Transaction) => Promise<T> | T, lockTimeout?: LockTimeout): Promise<T>;
  /** Runs `callback` on one snapshot of the data: all its statements see the same state, whatever is written meanwhile. */
  readTransaction<T>(callback: (tx: Transaction) => Promise<T> | T, lockTimeout?: LockTimeout): Promise<T>;
  /** Keeps the writer for `callback`; each statement commits by itself. */
  writeLock<T>(callback: (db: LockContext) => Promise<T> | T, lockTimeout?: LockTimeout): Promise<T>;
  /** Keeps one reading connection for `callback`. */
  readLock<T>(callback: (db: LockContext) => Promise<T> | T, lockTimeout?: LockTimeout): Promise<T>;
};

type Mode = 'write' | 'writeLock' | 'read' | 'readLock';

/** Failures of a rollback that only say that there is nothing left to roll back. */
const alreadyOver: readonly string[] = ['Closed', 'NotOpen', 'TransactionEnded'];

function checkLockTimeout(method: string, given: unknown): number | undefined {
  const timeoutMs = isRecord(given) ? given['timeoutMs'] : given;
  return timeoutMs === undefined ? undefined : checkTimeoutMs(method, timeoutMs);
}

async function rollBack({ native, databaseId, toError }: Calls, transactionId: number): Promise<void> {
  try {
    await native.rollback(databaseId, transactionId);
  } catch (thrown) {
    const error = toError(thrown);
    if (!alreadyOver.includes(error.code)) {
      console.error('@omnii/sync: a transaction could not be rolled back', error);
    }
  }
}

/** Runs when a begin is over, one way or the other. */
type Begin = { readonly mode: Mode; readonly timeoutMs: number | undefined; readonly holder: Holder; readonly over: () => void };

/**
 * Begins; rejects with `Busy` after `timeoutMs`, and with what `giveUp` is given. What begins later is rolled back at once.
 * When it rejects, the holder has been released, or will be as soon as the engine has answered.
 */
function begin(calls: Calls, { mode, timeoutMs, holder, over }: Begin): { id: Promise<number>; giveUp: (error: SyncError) => void } {
  let begun: Promise<number>;
  try {
    begun = calls.native.begin(calls.databaseId, mode);
  } catch (thrown) {
    begun = Promise.reject(calls.toError(thrown));
  }
  let late = false;
  let giveUp: (error: SyncError) => void = () => undefined;
  const id = new Promise<number>((resolve, reject) => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const settle = (): void => {
      clearTimeout(timer);
      over();
    };
    giveUp = (error) => {
      late = true;
      settle();
      reject(error);
    };
    if (timeoutMs !== undefined) {
      timer = setTimeout(() => {
        giveUp(lockTimedOut(timeoutMs));
      }, timeoutMs);
    }
    begun.then(
      (transactionId) => {
        if (late) {
          void rollBack(calls, transactionId);
          holder.release();
        } else {
          settle();
          resolve(transactionId);
        }
      },
      (thrown: unknown) => {
        holder.release();
        if (!late) {
          settle();
          reject(calls.toError(thrown));
        }
      }
    );
  });
  return { id, giveUp };
}

function beginWriting(calls: Calls, mode: Mode, timeoutMs: number | undefined): Promise<Begun> {
  const since = Date.now();
  return calls.gate.hold(timeoutMs).then(async (holder) => {
    const left = timeoutMs === undefined ? undefined : Math.max(0, timeoutMs - (Date.now() - since));
    return { holder, transactionId: await begin(calls, { mode, timeoutMs: left, holder, over: () => undefined }).id };
  });
}

async function beginReading(calls: Calls, mode: Mode, timeoutMs: number | undefined): Promise<Begun> {
  const { holder, begun } = calls.readers.enter((error) => {
    giveUp(error);
  });
  const { id, giveUp } = begin(calls, { mode, timeoutMs, holder, over: begun });
  return { holder, transactionId: await id };
}

type Begun = { readonly holder: Holder; readonly transactionId: number };

/** One transaction or lock that has begun. */
type Open = {
  readonly context: Transaction;
  /** Ends it unless that was done: waits for the statements under way, then commits or rolls back. */
  readonly end: (how: 'commit' | 'rollback') => Promise<void>;
};

function createOpen(calls: Calls, transactionId: number, holder: Holder): Open {
  const { native, databaseId, isOpen, closedError, toError } = calls;
  let inFlight = 0;
  let landed: (() => void) | null = null;
  let ending: Promise<void> | null = null;

  /** Called before each statement. */
  const leave = (): void => {
    if (ending !== null) {
      throw new SyncError(
        'TransactionEnded',
        'this transaction or lock has ended; await every statement inside the callback, before commit() and rollback()'
      );
    }
    if (!isOpen()) {
      throw closedError();
    }
  };
  const track = <T>(statement: Promise<T>): Promise<T> => {
    inFlight += 1;
    holder.issued();
    return statement;
  };
  const land = (): void => {
    inFlight -= 1;
    holder.answered();
    if (inFlight === 0) {
      landed?.();
    }
  };
  const execute = (sql: string, values: readonly unknown[]): Promise<NativeResult> => {
    leave();
    return track(native.execute(databaseId, transactionId, sql, values) as Promise<NativeResult>);
  };

  const finish = async (how: 'commit' | 'rollback'): Promise<void> => {
    if (inFlight > 0) {
      await new Promise<void>((resolve) => {
        landed = resolve;
      });
    }
    if (how === 'rollback') {
      const over = rollBack(calls, transactionId);
      holder.release();
      await over;
      return;
    }
    try {
      const over = native.commit(databaseId, transactionId);
      // What waits goes to the engine behind the commit; if that fails, the rollback lets it begin.
      holder.release();
      await over;
    } catch (thrown) {
      holder.release();
      await rollBack(calls, transactionId);
      throw toError(thrown);
    }
  };
  const end = (how: 'commit' | 'rollback'): Promise<void> => (ending ??= finish(how));
  const endNow = (how: 'commit' | 'rollback'): Promise<void> => {
    try {
      leave();
    } catch (thrown) {
      return Promise.reject(toError(thrown));
    }
    return end(how);
  };

  return {
    context: {
      ...createQueries(
        {
          read: execute,
          write: execute,
          writeRaw: (sql, values) => {
            leave();
            return track(native.executeRaw(databaseId, transactionId, sql, values) as Promise<NativeRawResult>);
          },
          writeBatch: (sql, sets) => {
            leave();
            return track(native.executeBatch(databaseId, transactionId, sql, sets));
          },
        },
        {
          answer: (shape) => (given) => {
            land();
            return shape(given);
          },
          fail: (thrown) => {
            land();
            throw toError(thrown);
          },
          toError,
        }
      ),
      commit: () => endNow('commit'),
      rollback: () => endNow('rollback'),
    },
    end,
  };
}

async function run<T>(
  calls: Calls,
  mode: Mode,
  callback: (context: Transaction) => Promise<T> | T,
  timeoutMs: number | undefined
): Promise<T> {
  const writes = mode === 'write' || mode === 'writeLock';
  const { holder, transactionId } = await (writes ? beginWriting : beginReading)(calls, mode, timeoutMs);
  const open = createOpen(calls, transactionId, holder);
  holder.opened();
  holder.running();
  try {
    let result: T;
    try {
      result = await callback(open.context);
    } catch (thrown) {
      await open.end('rollback').catch(() => undefined);
      throw thrown;
    }
    await open.end('commit');
    return result;
  } finally {
    if (writes) {
      calls.snapshot.expire();
    }
  }
}

export function createTransactions(calls: Calls): Transactions {
  const start =
    (method: string, mode: Mode) =>
    async <T>(callback: (context: Transaction) => Promise<T> | T, lockTimeout?: LockTimeout): Promise<T> => {
      if (typeof callback !== 'function') {
        throw new SyncError('BadArgument', `${method} takes a function; got ${describe(callback)}`);
      }
      const timeoutMs = checkLockTimeout(method, lockTimeout);
      if (!calls.isOpen()) {
        throw calls.closedError();
      }
      return run(calls, mode, callback, timeoutMs);
    };
  return {
    writeTransaction: start('writeTransaction', 'write'),
    readTransaction: start('readTransaction', 'read'),
    writeLock: start('writeLock', 'writeLock'),
    readLock: start('readLock', 'readLock'),
  };
}
