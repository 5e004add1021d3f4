/** Whether the native module is in this app. It is not on web, in Expo Go, and in builds made before the package was added. */
import { SyncError } from './errors';
import native, { type Spec } from './NativeOmniiSync';

/** False where no database can be opened. Never changes while the app runs. */
export function isSupported(): boolean {
  return (native as Spec | null) !== null;
}

/** What everything that needs the native module fails with where it is missing. */
export function unsupported(): SyncError {
  return new SyncError(
    'Unsupported',
    'the native module OmniiSync is not in this app: it runs on iOS and Android in a build made with @omnii/sync installed (npx expo run:ios, npx expo run:android), not on web and not in Expo Go'
  );
}

/** Throws `SyncError{code: 'Unsupported'}`. */
export function requireSupport(): void {
  if (!isSupported()) {
    throw unsupported();
  }
}

let warned = false;

/** Says once on the console why nothing will be synced. */
export function warnUnsupported(): void {
  if (!warned) {
    warned = true;
    console.warn(`@omnii/sync: ${unsupported().message}. SyncProvider renders its children without a database.`);
  }
}
