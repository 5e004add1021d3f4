/**
 * What the engine is told about its surroundings: the events of `native.notify`, what of them still holds when a database
 * is opened later, and the user's activity.
 */
import type { DeviceEvent } from './connectivity';
import type { SyncFrequency } from './status';

/** What `native.notify` takes. */
export type Notice = DeviceEvent | 'foreground' | 'background' | 'active' | 'credentialsChanged';

/** Remembers what holds, for a database that is opened after it was told. */
export function createSurroundings(): { note: (notice: Notice) => void; standing: () => Notice[] } {
  const switches: readonly (readonly [on: Notice, off: Notice])[] = [
    ['background', 'foreground'], ['networkLost', 'networkRegained'], ['metered', 'unmetered'], ['batteryLow', 'batteryOk'],
  ];
  const standing = new Set<Notice>();
  return {
    note: (notice) => {
      for (const [on, off] of switches) {
        if (notice === on) {
          standing.add(on);
        } else if (notice === off) {
          standing.delete(on);
        }
      }
    },
    standing: () => [...standing],
  };
}

const activityEveryMs = 30_000;

/**
 * Takes the app's reads for a sign that somebody is there. Looks at most once per 30 s, and tells only when the engine has gone
 * idle: local writes tell it by themselves.
 */
export function createActivity(frequency: () => SyncFrequency, tell: () => void): { seen: () => void } {
  let last = -Infinity;
  return {
    seen: () => {
      const now = Date.now();
      if (now - last < activityEveryMs && now >= last) {
        return;
      }
      last = now;
      if (frequency() === 'idle') {
        tell();
      }
    },
  };
}
