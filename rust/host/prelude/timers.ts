/**
 * Timers, immediates, animation frames and microtasks. The callbacks live here, the clock in Rust.
 *
 * Hermes' tracker of rejected promises arms a timer of its own for each (100 ms or 2 s, after which it calls the rejection
 * unhandled). Such a timer does not keep the process alive; when nothing else does, it fires at once (`flushRejections`).
 */
import { guard } from './errors';
import { define, native } from './native';

type Callback = { run: () => void; once: boolean };

const FRAME_MS = 1000 / 60;
/** The name of the function the tracker passes: Hermes, lib/InternalJavaScript/01-Promise.js. */
const TRACKER = 'bound onUnhandled';

const callbacks = new Map<number, Callback>();
const rejectionChecks = new Set<number>();
let lastId = 0;

function add(callback: unknown, args: unknown[], once: boolean): number {
  if (typeof callback !== 'function') throw new TypeError('The callback of a timer must be a function');
  const id = ++lastId;
  callbacks.set(id, { run: args.length === 0 ? () => callback() : () => callback(...args), once });
  return id;
}

function start(callback: unknown, delayMs: unknown, args: unknown[], repeat: boolean): number {
  const id = add(callback, args, !repeat);
  const isRejectionCheck = !repeat && (callback as () => void).name === TRACKER;
  if (isRejectionCheck) rejectionChecks.add(id);
  native.startTimer(id, Number(delayMs) || 0, repeat, !isRejectionCheck);
  return id;
}

function cancel(id: unknown): void {
  if (typeof id !== 'number' || !callbacks.delete(id)) return;
  rejectionChecks.delete(id);
  native.cancelTimer(id);
}

/** Runs a callback in the next turn of the loop. */
export function immediate(callback: () => void): number {
  const id = add(callback, [], true);
  native.startImmediate(id);
  return id;
}

/** Runs what is due under an id. */
export function fireTimer(id: number): void {
  const callback = callbacks.get(id);
  if (!callback) return;
  if (callback.once) {
    callbacks.delete(id);
    rejectionChecks.delete(id);
  }
  guard(callback.run);
}

/** Nothing keeps the process alive any more: rejections that are unhandled now stay so. */
export function flushRejections(): void {
  for (const id of [...rejectionChecks]) {
    native.cancelTimer(id);
    fireTimer(id);
  }
}

export function installTimers(): void {
  define('setTimeout', (callback: unknown, delayMs?: unknown, ...args: unknown[]) => start(callback, delayMs, args, false));
  define('setInterval', (callback: unknown, delayMs?: unknown, ...args: unknown[]) => start(callback, delayMs, args, true));
  define('setImmediate', (callback: unknown, ...args: unknown[]) => {
    const id = add(callback, args, true);
    native.startImmediate(id);
    return id;
  });
  define('clearTimeout', cancel);
  define('clearInterval', cancel);
  define('clearImmediate', cancel);
  define('requestAnimationFrame', (callback: (time: number) => void) => {
    const now = native.now();
    return start(() => callback(native.now()), FRAME_MS - (now % FRAME_MS), [], false);
  });
  define('cancelAnimationFrame', cancel);
  define('queueMicrotask', (callback: () => void) => {
    if (typeof callback !== 'function') throw new TypeError('The argument of queueMicrotask must be a function');
    void Promise.resolve().then(() => guard(callback));
  });
  define('performance', {
    now: () => native.now(),
    timeOrigin: Date.now() - native.now(),
    mark() {},
    measure() {},
    clearMarks() {},
    clearMeasures() {},
  });
}
