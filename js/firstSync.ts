/**
 * Waiting until a database holds what the backend has. Guarantees an end wherever there is one to tell (done, nobody
 * signed in, refused, closed, too late, aborted), and that nothing stays registered afterwards.
 */
import { abortReason, type AbortSignalLike, checkSignal, isSignal, onAbort } from './abort';
import { checkOptions, checkTimeoutMs } from './arguments';
import { describe } from './describe';
import { SyncError } from './errors';
import type { SyncStatus } from './status';

export type FirstSyncOptions = {
  /** Ends the waiting: it rejects with the signal's `reason`, or with an `Error` named `AbortError` where there is none. */
  signal?: AbortSignalLike | undefined;
  /** Longest time to wait, 0 to 24 h; then it rejects with `Timeout`. Default: as long as it takes. */
  timeoutMs?: number | undefined;
  /** Taken for PowerSync's sake: everything has the same priority. */
  priority?: number | undefined;
};

/** What is watched. */
export type StatusSource = {
  isOpen: () => boolean;
  current: () => SyncStatus;
  /** Also called once when the database is closed. */
  add: (listener: () => void) => () => void;
};

/** Why there is nothing to wait for, unless somebody signs in. An attempt under way may still prove it wrong. */
function terminalError({ error, connecting, uploading, downloading }: SyncStatus): SyncError | null {
  const underWay = connecting || uploading || downloading;
  return !underWay && (error?.code === 'Unauthorized' || error?.code === 'NoCredentials') ? error : null;
}

/** What a look at the status may say: go on waiting, done, or why it will never be. */
type Verdict = 'wait' | 'done' | { readonly reason: unknown };

type Waiting = { method: string; signal: AbortSignalLike | undefined; timeoutMs: number | null; tooLate: string };

/** Looks now and at each change. */
async function waitUntil(
  source: StatusSource,
  { method, signal, timeoutMs, tooLate }: Waiting,
  look: () => Verdict
): Promise<void> {
  const failure = await new Promise<{ readonly reason: unknown } | null>((resolve) => {
    const undo: (() => void)[] = [];
    let over = false;
    const isOver = (): boolean => over;
    const end = (outcome: { readonly reason: unknown } | null): void => {
      if (!over) {
        over = true;
        for (const step of undo) {
          step();
        }
        resolve(outcome);
      }
    };
    const judge = (): void => {
      let verdict: Verdict;
      try {
        verdict = look();
      } catch (thrown) {
        verdict = { reason: thrown };
      }
      if (verdict !== 'wait') {
        end(verdict === 'done' ? null : verdict);
      }
    };

    undo.push(
      onAbort(signal, () => {
        end(signal === undefined ? null : { reason: abortReason(method, signal) });
      })
    );
    if (!isOver()) {
      judge();
    }
    if (isOver()) {
      for (const step of undo) {
        step();
      }
      return;
    }
    undo.push(source.add(judge));
    if (timeoutMs !== null) {
      const timer = setTimeout(() => {
        end({ reason: new SyncError('Timeout', tooLate, true) });
      }, timeoutMs);
      undo.push(() => {
        clearTimeout(timer);
      });
    }
  });
  if (failure !== null) {
    throw failure.reason;
  }
}

/** See `Database.waitForFirstSync`. */
export async function waitForFirstSync(source: StatusSource, given: unknown): Promise<void> {
  const names = ['signal', 'timeoutMs', 'priority'];
  const options = isSignal(given) ? { signal: given } : checkOptions('waitForFirstSync', given, names);
  const signal = checkSignal('waitForFirstSync', options['signal']);
  const limit = options['timeoutMs'];
  const timeoutMs = limit === undefined ? null : checkTimeoutMs('waitForFirstSync', limit);
  const tooLate = `the first sync was not complete within ${timeoutMs ?? 0} ms`;
  await waitUntil(source, { method: 'waitForFirstSync', signal, timeoutMs, tooLate }, () => {
    const status = source.current();
    const terminal = terminalError(status);
    if (!source.isOpen()) {
      return { reason: new SyncError('Closed', 'the database was closed before its first sync was complete') };
    }
    if (status.hasSynced) {
      return 'done';
    }
    return terminal === null ? 'wait' : { reason: terminal };
  });
}

/** See `Database.waitForStatus`. */
export async function waitForStatus(source: StatusSource, predicate: unknown, given: unknown): Promise<void> {
  if (typeof predicate !== 'function') {
    throw new SyncError('BadArgument', `waitForStatus takes a function; got ${describe(predicate)}`);
  }
  const signal = checkSignal('waitForStatus', given);
  const waiting = { method: 'waitForStatus', signal, timeoutMs: null, tooLate: '' };
  await waitUntil(source, waiting, () => {
    if (!source.isOpen()) {
      return { reason: new SyncError('Closed', 'the database was closed before it had the status waited for') };
    }
    return (predicate as (status: SyncStatus) => unknown)(source.current()) ? 'done' : 'wait';
  });
}
