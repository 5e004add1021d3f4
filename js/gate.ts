/**
 * The queue for the writer, in JavaScript. While a write transaction or write lock of this database is requested or open,
 * every other call that needs the writer waits here, first come, first served; the engine never sees it before its turn.
 *
 * That makes nested use an error instead of a deadlock: a call that was made inside the callback of a transaction, and is
 * awaited there, waits for a transaction that waits for it. Such a transaction does nothing, which is what the gate looks
 * for. It counts ticks of its own timer, not time: a JavaScript thread that was blocked or an app that slept is no idle
 * transaction. A call that was rejected here never runs.
 */
import { SyncError } from './errors';

/** Time between two looks at a transaction for which somebody waits. */
export const usualTickMs = 50;
/** Ticks without a statement after which calls made by the callback itself are rejected: 100 ms. */
export const suspiciousTicks = 2;
/** The same for calls made since the transaction's last statement, whoever made them: 10 s. */
export const silentTicks = 200;
/** The same for all that wait: 20 s. */
const hopelessTicks = 400;

/** The transaction or lock that has the writer, as the gate sees it. */
export type Holder = {
  /** The engine has begun it. */
  opened: () => void;
  /** Its callback may run in this task: what is called before the next task may be a part of it. */
  running: () => void;
  /** A statement of it has left for the engine. */
  issued: () => void;
  /** A statement of it is about to be settled. */
  answered: () => void;
  /** It has ended, or its end has left for the engine. May be called again. */
  release: () => void;
};

/** Which waiting calls `interrupt` ends: the app's statements, not its wishes about syncing. */
export type CallKind = 'statement' | 'sync';

export type Gate = {
  /** Nothing has the writer: a call may go to the engine at once. */
  readonly free: boolean;
  /** Calls `start` at its turn, at once if the gate is free, and settles as it does. Rejects with `NestedTransaction`. */
  enter: <T>(kind: CallKind, start: () => Promise<T>) => Promise<T>;
  /** Becomes the holder at its turn. Rejects with `NestedTransaction`, and with `Busy` after `timeoutMs`. */
  hold: (timeoutMs: number | undefined) => Promise<Holder>;
  /** Rejects the waiting calls of that kind, or all of them. */
  reject: (error: SyncError, kind?: CallKind) => void;
};

type Waiting = {
  readonly kind: CallKind;
  /** Takes its turn. */
  readonly start: () => void;
  readonly fail: (error: SyncError) => void;
  /** How the transaction it waits for was when the call was made: its callback seemed to be running, … */
  suspicious: boolean;
  /** … it had begun, … */
  duringOpen: boolean;
  /** … and this is how much it had done. */
  readonly activity: number;
};

type HolderState = { open: boolean; readonly running: RunningMark; inFlight: number; activity: number };

/** "The callback may be running": set until the task is over. */
export type RunningMark = { readonly isSet: () => boolean; readonly set: () => void };

export function createRunningMark(): RunningMark {
  let isSet = false;
  let clearing = false;
  return {
    isSet: () => isSet,
    set: () => {
      isSet = true;
      if (!clearing) {
        // Any later task will do: what ran in this one has run until then.
        clearing = true;
        setTimeout(() => {
          clearing = false;
          isSet = false;
        }, 0);
      }
    },
  };
}

const nested = (): SyncError =>
  new SyncError(
    'NestedTransaction',
    'this call waits for a write transaction or lock that does nothing: it seems to be awaited inside the callback; ' +
      'use tx.execute (and the other methods of tx) inside the callback, or make the call after it has ended'
  );
export const starved = (): SyncError =>
  new SyncError(
    'NestedTransaction',
    'a write transaction or lock has been open for a long time without a statement while this call waited for it; ' +
      'do not wait for this call, for the network or for the user inside a callback',
    true
  );

export function lockTimedOut(timeoutMs: number): SyncError {
  return new SyncError('Busy', `the transaction or lock could not begin within ${timeoutMs} ms`, true);
}

/** `tickMs`: for tests that do not want to wait for 20 seconds. */
export function createGate(tickMs = usualTickMs): Gate {
  let holder: HolderState | null = null;
  let waiting: Waiting[] = [];
  let watchdog: ReturnType<typeof setTimeout> | null = null;

  const rejectWhere = (wanted: (call: Waiting) => boolean, error: () => SyncError): void => {
    const rejected = new Set(waiting.filter(wanted));
    if (rejected.size > 0) {
      waiting = waiting.filter((call) => !rejected.has(call));
      for (const call of rejected) {
        call.fail(error());
      }
    }
  };

  /** Looks at the holder while somebody waits for it. */
  const watch = (): void => {
    if (watchdog !== null) {
      return;
    }
    let watched = holder;
    let activity = holder?.activity ?? 0;
    let idleTicks = 0;
    const tick = (): void => {
      watchdog = null;
      if (waiting.length === 0 || holder === null) {
        return;
      }
      const idle = holder === watched && holder.open && holder.inFlight === 0 && holder.activity === activity;
      idleTicks = idle ? idleTicks + 1 : 0;
      watched = holder;
      ({ activity } = holder);
      if (idleTicks >= suspiciousTicks) {
        rejectWhere((call) => call.suspicious, nested);
      }
      if (idleTicks >= hopelessTicks) {
        rejectWhere(() => true, starved);
      } else if (idleTicks >= silentTicks) {
        rejectWhere((call) => call.duringOpen && call.activity === activity, starved);
      }
      if (waiting.length > 0) {
        watchdog = setTimeout(tick, tickMs);
      }
    };
    watchdog = setTimeout(tick, tickMs);
  };

  const advance = (): void => {
    let call: Waiting | undefined;
    while (holder === null && (call = waiting.shift()) !== undefined) {
      call.start();
    }
    // Whoever still waits waits for another holder now, inside whose callback the call was not made.
    for (const each of waiting) {
      each.suspicious = false;
      each.duringOpen = false;
    }
  };

  const take = (): Holder => {
    const mine: HolderState = { open: false, running: createRunningMark(), inFlight: 0, activity: 0 };
    holder = mine;
    return {
      opened: () => {
        mine.open = true;
      },
      running: mine.running.set,
      issued: () => {
        mine.inFlight += 1;
        mine.activity += 1;
      },
      answered: () => {
        mine.inFlight -= 1;
        mine.activity += 1;
        mine.running.set();
      },
      release: () => {
        if (holder === mine) {
          holder = null;
          if (waiting.length > 0) {
            advance();
          }
        }
      },
    };
  };

  const wait = (kind: CallKind, start: Waiting['start'], fail: Waiting['fail']): Waiting => {
    const call: Waiting = {
      kind,
      start,
      fail,
      suspicious: holder?.running.isSet() ?? false,
      duringOpen: holder?.open ?? false,
      activity: holder?.activity ?? 0,
    };
    waiting.push(call);
    watch();
    return call;
  };

  return {
    get free() {
      return holder === null;
    },
    enter: (kind, start) =>
      holder === null
        ? start()
        : new Promise((resolve, reject) => {
            wait(
              kind,
              () => {
                try {
                  start().then(resolve, reject);
                } catch (thrown) {
                  reject(thrown instanceof Error ? thrown : new Error(String(thrown)));
                }
              },
              reject
            );
          }),
    hold: (timeoutMs) => {
      if (holder === null) {
        return Promise.resolve(take());
      }
      return new Promise((resolve, reject) => {
        let timer: ReturnType<typeof setTimeout> | undefined;
        const call = wait(
          'statement',
          () => {
            clearTimeout(timer);
            resolve(take());
          },
          (error) => {
            clearTimeout(timer);
            reject(error);
          }
        );
        if (timeoutMs !== undefined) {
          timer = setTimeout(() => {
            rejectWhere((each) => each === call, () => lockTimedOut(timeoutMs));
          }, timeoutMs);
        }
      });
    },
    reject: (error, kind) => {
      rejectWhere((call) => kind === undefined || call.kind === kind, () => error);
    },
  };
}
