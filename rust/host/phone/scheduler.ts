/** `nativeRuntimeScheduler`, which React's scheduler uses on React Native: tasks by priority, one per turn of the loop. */
import { guard } from '../prelude/errors';
import { define } from '../prelude/native';
import { immediate } from '../prelude/timers';
import { elapsed } from './clock';

/** How late a task of a priority may become, in milliseconds, before it goes first: React Native's own values. */
const TIMEOUT_MS: Record<number, number> = { 1: 0, 2: 250, 3: 5000, 4: 10_000, 5: 300_000 };
const NORMAL = 3;

interface Task {
  callback: ((didTimeout: boolean) => unknown) | null;
  priority: number;
  expires: number;
}

const queue: Task[] = [];
let current = NORMAL;
let isAwake = false;

function wake(): void {
  if (isAwake) return;
  isAwake = true;
  immediate(work);
}

function work(): void {
  isAwake = false;
  const task = queue.shift();
  if (queue.length > 0) wake();
  if (task) guard(() => perform(task));
}

function perform(task: Task): void {
  const { callback } = task;
  if (!callback) return;
  const before = current;
  task.callback = null;
  current = task.priority;
  try {
    const next = callback(elapsed() > task.expires);
    if (typeof next === 'function') {
      task.callback = next as Task['callback'];
      enqueue(task);
    }
  } finally {
    current = before;
  }
}

function enqueue(task: Task): void {
  let index = queue.length;
  while (index > 0 && (queue[index - 1] as Task).expires > task.expires) index--;
  queue.splice(index, 0, task);
  wake();
}

/** Runs a callback as React's tasks of a priority are run. */
export function schedule(priority: number, callback: Task['callback']): Task {
  const task: Task = { callback, priority, expires: elapsed() + (TIMEOUT_MS[priority] ?? 5000) };
  enqueue(task);
  return task;
}

export function installScheduler(): void {
  define('nativeRuntimeScheduler', {
    unstable_ImmediatePriority: 1,
    unstable_UserBlockingPriority: 2,
    unstable_NormalPriority: NORMAL,
    unstable_LowPriority: 4,
    unstable_IdlePriority: 5,
    unstable_scheduleCallback(priority: number, callback: Task['callback'], options?: { delay?: number }) {
      if (!options?.delay) return schedule(priority, callback);
      const task: Task = { callback, priority, expires: Infinity };
      setTimeout(() => {
        task.expires = elapsed() + (TIMEOUT_MS[priority] ?? 5000);
        enqueue(task);
      }, options.delay);
      return task;
    },
    unstable_cancelCallback(task: Task | null) {
      if (task) task.callback = null;
    },
    unstable_getCurrentPriorityLevel: () => current,
    // One task at a time, and the loop looks at timers and native work between two of them.
    unstable_shouldYield: () => false,
    unstable_requestPaint() {},
    unstable_now: elapsed,
  });
  define('nativePerformanceNow', elapsed);
}
