/**
 * Waiting until a database holds what the backend has. Guarantees an end wherever there is one to tell (done, nobody
 * signed in, refused, closed, too late, aborted), and that nothing stays registered afterwards.
 */
import { checkOptions, checkTimeoutMs } from './arguments';
import { describe, isRecord } from './describe';
import { SyncError } from './errors';
import type { SyncStatus } from './status';

/** The part of an `AbortSignal` that is used. React Native's own has no `reason`. */
export type AbortSignalLike = {
  readonly aborted: boolean;
  readonly reason?: unknown;
  addEventListener(type: 'abort', listener: () => void): void;
  removeEventListener(type: 'abort', listener: () => void): void;
};

export type FirstSyncOptions = {
  /** Ends the waiting: it rejects with the signal's `reason`, or with an `Error` named `AbortError` where there is none. */
  signal?: AbortSignalLike | undefined;
  /** Longest time to wait, 0 to 24 h; then it rejects with `Timeout`. Default: as long as it takes. */
  timeoutMs?: number | undefined;
};

/** What is watched. */
export type StatusSource = {
  isOpen: () => boolean;
  current: () => SyncStatus;
  /** Also called once when the database is closed. */
  add: (listener: () => void) => () => void;
};

function isSignal(given: unknown): given is AbortSignalLike {
  return (
    isRecord(given) &&
    typeof given['aborted'] === 'boolean' &&
    typeof given['addEventListener'] === 'function' &&
    typeof given['removeEventListener'] === 'function'
  );
}

function abortReason(signal: AbortSignalLike): unknown {
  if (signal.reason !== undefined) {
    return signal.reason;
  }
  const error = new Error('waitForFirstSync was aborted');
  error.name = 'AbortError';
  return error;
}

/** Why there is nothing to wait for, unless somebody signs in. An attempt under way may still prove it wrong. */
function terminalError({ error, connecting, uploading, downloading }: SyncStatus): SyncError | null {
  const underWay = connecting || uploading || downloading;
  return !underWay && (error?.code === 'Unauthorized' || error?.code === 'NoCredentials') ? error : null;
}

/** See `Database.waitForFirstSync`. */
export async function waitForFirstSync(source: StatusSource, given: unknown): Promise<void> {
  const { signal, timeoutMs } = checkOptions('waitForFirstSync', given, ['signal', 'timeoutMs']);
  if (signal !== undefined && !isSignal(signal)) {
    throw new SyncError('BadArgument', `waitForFirstSync: signal must be an AbortSignal; got ${describe(signal)}`);
  }
  const limitMs = timeoutMs === undefined ? null : checkTimeoutMs('waitForFirstSync', timeoutMs);

  const failure = await new Promise<{ reason: unknown } | null>((resolve) => {
    const undo: (() => void)[] = [];
    let over = false;
    const isOver = (): boolean => over;
    const end = (outcome: { reason: unknown } | null): void => {
      if (!over) {
        over = true;
        for (const step of undo) {
          step();
        }
        resolve(outcome);
      }
    };
    const fail = (reason: unknown): void => {
      end({ reason });
    };
    const look = (): void => {
      const status = source.current();
      const terminal = terminalError(status);
      if (!source.isOpen()) {
        fail(new SyncError('Closed', 'the database was closed before its first sync was complete'));
      } else if (status.hasSynced) {
        end(null);
      } else if (terminal !== null) {
        fail(terminal);
      }
    };
    const abort = (): void => {
      if (signal?.aborted === true) {
        fail(abortReason(signal));
      }
    };

    abort();
    if (!isOver()) {
      look();
    }
    if (isOver()) {
      return;
    }
    undo.push(source.add(look));
    if (signal !== undefined) {
      signal.addEventListener('abort', abort);
      undo.push(() => {
        signal.removeEventListener('abort', abort);
      });
    }
    if (limitMs !== null) {
      const timer = setTimeout(() => {
        fail(new SyncError('Timeout', `the first sync was not complete within ${limitMs} ms`, true));
      }, limitMs);
      undo.push(() => {
        clearTimeout(timer);
      });
    }
  });
  if (failure !== null) {
    throw failure.reason;
  }
}
