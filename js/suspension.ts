/**
 * Letting go of the file and taking it up again, in the order of the calls: the engine works on several threads, so two
 * calls under way at the same time could overtake each other.
 */
import type { Spec } from './NativeOmniiSync';

export type Suspension = {
  suspend: () => Promise<void>;
  resume: () => Promise<void>;
  /** `suspend` was called, and `resume` not since. */
  isSuspended: () => boolean;
};

export function createSuspension(
  native: Pick<Spec, 'prepareForSuspend' | 'resume'>,
  databaseId: number
): Suspension {
  let suspended = false;
  let last: Promise<void> | null = null;
  const inOrder = (call: () => Promise<void>): Promise<void> => {
    // The first call leaves at once: iOS may stop this thread soon.
    const mine = last === null ? call() : last.then(call, call);
    last = mine;
    const forget = (): void => {
      last = last === mine ? null : last;
    };
    mine.then(forget, forget);
    return mine;
  };
  return {
    suspend: () => {
      suspended = true;
      return inOrder(() => native.prepareForSuspend(databaseId));
    },
    resume: () => {
      suspended = false;
      return inOrder(() => native.resume(databaseId));
    },
    isSuspended: () => suspended,
  };
}
