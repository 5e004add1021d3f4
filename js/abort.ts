/** Ending things by a signal. React Native's own `AbortSignal` has no `reason`, so nothing here relies on one. */
import { describe, isRecord } from './describe';
import { SyncError } from './errors';

/** The part of an `AbortSignal` that is used. */
export type AbortSignalLike = {
  readonly aborted: boolean;
  readonly reason?: unknown;
  addEventListener(type: 'abort', listener: () => void): void;
  removeEventListener(type: 'abort', listener: () => void): void;
};

export function isSignal(given: unknown): given is AbortSignalLike {
  return (
    isRecord(given) &&
    typeof given['aborted'] === 'boolean' &&
    typeof given['addEventListener'] === 'function' &&
    typeof given['removeEventListener'] === 'function'
  );
}

/** A signal or undefined. Throws `BadArgument`. */
export function checkSignal(method: string, given: unknown): AbortSignalLike | undefined {
  if (given !== undefined && !isSignal(given)) {
    throw new SyncError('BadArgument', `${method}: signal must be an AbortSignal; got ${describe(given)}`);
  }
  return given;
}

/** What a call rejects with when it is aborted: the signal's reason, or an `Error` named `AbortError`. */
export function abortReason(method: string, signal: AbortSignalLike): unknown {
  if (signal.reason !== undefined) {
    return signal.reason;
  }
  const error = new Error(`${method} was aborted`);
  error.name = 'AbortError';
  return error;
}

/** Calls `stop` when the signal is aborted, at once if it is already. Answers the function that stops listening. */
export function onAbort(signal: AbortSignalLike | undefined, stop: () => void): () => void {
  if (signal === undefined) {
    return () => undefined;
  }
  if (signal.aborted) {
    stop();
    return () => undefined;
  }
  signal.addEventListener('abort', stop);
  return () => {
    signal.removeEventListener('abort', stop);
  };
}
