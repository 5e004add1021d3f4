/**
 * The phone's clock. It goes by the real one, because engine, network and disk do; a test can advance it, which fires the
 * timers of the app in their order on the way. What is native to the engine keeps real time.
 */
import { call, native } from '../prelude/native';
import { immediate } from '../prelude/timers';

const realNow = Date.now.bind(Date);
let ahead = 0;

/** Date.now() of the app. Fractions are cut as in every Date. */
export function installClock(): void {
  const RealDate = Date;
  class PhoneDate extends RealDate {
    constructor(...args: unknown[]) {
      if (args.length === 0) super(realNow() + ahead);
      else super(...(args as [number]));
    }
    static override now(): number {
      return Math.floor(realNow() + ahead);
    }
  }
  // Date() without new answers text.
  const callable = new Proxy(PhoneDate, { apply: () => new PhoneDate().toString() });
  Object.defineProperty(globalThis, 'Date', { value: callable, writable: true, configurable: true });
}

/** Milliseconds since this runtime began, as the app's timers see it. */
export const elapsed = (): number => native.now();

/** Real milliseconds, whatever the clock of the app says. */
export const realElapsed = (): number => native.now() - ahead;

/** Resolves in a later task, when what is due has had its turn. */
export const nextTask = (): Promise<void> => new Promise((resolve) => void immediate(resolve));

/** Moves the clock on; all timers that are due on the way have fired when it resolves. */
export async function advance(ms: number): Promise<void> {
  let left = ms;
  while (left > 0) {
    const next = call<number | null>('nextTimer');
    const step = Math.min(left, next === null ? left : Math.max(next, 1));
    call('advanceClock', { ms: step });
    ahead += step;
    left -= step;
    await nextTask();
    await nextTask();
  }
}
