/**
 * Reading transactions and locks that have begun or want to. They wait for nobody but each other: there are only so many
 * connections. When all of those are held by callbacks that wait for another reading transaction, nothing would ever go on;
 * then, as in the gate, those that wait are rejected, and the engine is never left with one that nobody wants.
 */
import { SyncError } from './errors';
import { createRunningMark, type Holder, silentTicks, starved, suspiciousTicks, usualTickMs } from './gate';

export type Readers = {
  /** One that has not begun. `giveUp` is called at most once, and not after `begun`. */
  enter: (giveUp: (error: SyncError) => void) => { readonly holder: Holder; readonly begun: () => void };
};

const nested = (): SyncError =>
  new SyncError(
    'NestedTransaction',
    'this reading transaction or lock waits for a connection, and all are held by callbacks that do nothing: it seems to be ' +
      'awaited inside one of them; use what the callback is given'
  );

type Waiting = { readonly giveUp: (error: SyncError) => void; readonly suspicious: boolean };

/** `tickMs`: for tests. */
export function createReaders(tickMs = usualTickMs): Readers {
  const waiting = new Set<Waiting>();
  const running = createRunningMark();
  let inFlight = 0;
  let activity = 0;
  let watchdog: ReturnType<typeof setTimeout> | null = null;

  const watch = (): void => {
    if (watchdog !== null) {
      return;
    }
    let seen = activity;
    let idleTicks = 0;
    const tick = (): void => {
      watchdog = null;
      idleTicks = inFlight === 0 && activity === seen ? idleTicks + 1 : 0;
      seen = activity;
      for (const call of [...waiting]) {
        const lost = call.suspicious && idleTicks >= suspiciousTicks;
        if (lost || idleTicks >= silentTicks) {
          waiting.delete(call);
          call.giveUp(lost ? nested() : starved());
        }
      }
      if (waiting.size > 0) {
        watchdog = setTimeout(tick, tickMs);
      }
    };
    watchdog = setTimeout(tick, tickMs);
  };

  return {
    enter: (giveUp) => {
      const call: Waiting = { giveUp, suspicious: running.isSet() };
      waiting.add(call);
      watch();
      return {
        begun: () => {
          waiting.delete(call);
          activity += 1;
        },
        holder: {
          opened: () => undefined,
          running: running.set,
          issued: () => {
            inFlight += 1;
            activity += 1;
          },
          answered: () => {
            inFlight -= 1;
            activity += 1;
            running.set();
          },
          release: () => {
            activity += 1;
          },
        },
      };
    },
  };
}
