/** What becomes of a user's file when they sign out. */
import { checkOptions, checkTimeoutMs } from './arguments';
import { describe } from './describe';
import { SyncError } from './errors';

/**
 * `keep`: the file stays for this user's next sign-in. `clearWhenSynced`: it is deleted if nothing in it waits for the
 * backend any more (parked changes included), else it stays. `clear`: it is deleted, pending changes with it.
 */
export type OnSignOut = 'keep' | 'clearWhenSynced' | 'clear';

export type SignOutOptions = {
  /** Default `clearWhenSynced`. */
  onSignOut?: OnSignOut | undefined;
  /** Longest time to push what is pending, 0 to 24 h. Default 10,000. */
  timeoutMs?: number | undefined;
};

const policies: readonly unknown[] = ['keep', 'clearWhenSynced', 'clear'] satisfies OnSignOut[];
const defaultTimeoutMs = 10_000;

export function isOnSignOut(given: unknown): given is OnSignOut {
  return policies.includes(given);
}

/** The complaint about a policy that is none. */
export function wrongPolicy(given: unknown): string {
  const got = typeof given === 'string' && given !== '' ? `'${given}'` : describe(given);
  return `onSignOut must be ${policies.join(', ')} or left out; got ${got}`;
}

/** Fills in the defaults. Throws `BadArgument`. */
export function checkSignOut(given: unknown): Required<{ onSignOut: OnSignOut; timeoutMs: number }> {
  const { onSignOut = 'clearWhenSynced', timeoutMs = defaultTimeoutMs } = checkOptions('signOut', given, [
    'onSignOut',
    'timeoutMs',
  ]);
  if (!isOnSignOut(onSignOut)) {
    throw new SyncError('BadArgument', `signOut: ${wrongPolicy(onSignOut)}`);
  }
  return { onSignOut, timeoutMs: checkTimeoutMs('signOut', timeoutMs) };
}
