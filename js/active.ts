/**
 * Which database the module-level functions mean: the one opened last that is still open. Owns the list and tells the
 * module-level status listeners when another database, or another snapshot, becomes the current one.
 */
import { SyncError } from './errors';
import { createListeners } from './listeners';
import { requireSupport } from './platform';
import type { Session } from './session';
import { offlineStatus, type SyncStatus } from './status';

const sessions: Session[] = [];
const listeners = createListeners<[status: SyncStatus]>('a status listener');
let announced: SyncStatus = offlineStatus;

function activeSession(): Session | null {
  return sessions[sessions.length - 1] ?? null;
}

/**
 * The session of the database opened last that is still open. Throws `SyncError{code: 'NotOpen'}` if there is none, and
 * `Unsupported` where there can be none.
 */
export function requireSession(): Session {
  requireSupport();
  const session = activeSession();
  if (session === null) {
    throw new SyncError('NotOpen', 'no database is open; call openDatabase() or render a SyncProvider with a userId first');
  }
  return session;
}

function announce(): void {
  const status = activeSession()?.database.currentStatus ?? offlineStatus;
  if (status !== announced) {
    announced = status;
    listeners.emit(status);
  }
}

/** Lists an open session as the current one. Answers the function that takes it off again. */
export function registerSession(session: Session): () => void {
  sessions.push(session);
  announce();
  return () => {
    const index = sessions.indexOf(session);
    if (index >= 0) {
      sessions.splice(index, 1);
      announce();
    }
  };
}

/** What sessions report here. */
export const activeEvents = { statusChanged: announce };

/** The status of the current database, `offline` if there is none. */
export function activeStatus(): SyncStatus {
  return announced;
}

/** Called at each change of `activeStatus()`. */
export const addActiveStatusListener = listeners.add;
