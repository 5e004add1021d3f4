/**
 * A test runner that fits on a screen, for scripts in the host. Tests run one after the other, in the order they were
 * declared, once the file has been loaded; the last line printed is `N passed, N failed`.
 */
import { assert, AssertionError } from './assert';

export { assert, AssertionError };

type Body = () => void | Promise<void>;

const DEFAULT_TIMEOUT_MS = 30_000;
const tests: { name: string; body: Body; timeoutMs: number }[] = [];
const cleanups: Body[] = [];

/** Declares a test. It fails if `body` throws, rejects, or takes longer than the time limit. */
export function test(name: string, body: Body, timeoutMs = DEFAULT_TIMEOUT_MS): void {
  if (tests.length === 0) setImmediate(() => void run());
  tests.push({ name, body, timeoutMs });
}

/** Inside a test: what shall be done when it has ended, however it has. The last declared comes first. */
export function cleanup(body: Body): void {
  cleanups.push(body);
}

export function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** Waits until `condition` answers something true, and answers that. */
export async function until<T>(condition: () => T | Promise<T>, what: string, timeoutMs = 10_000): Promise<T> {
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    const answer = await condition();
    if (answer) return answer;
    if (performance.now() > deadline) throw new AssertionError(`waited ${timeoutMs} ms in vain: ${what}`);
    await sleep(5);
  }
}

async function run(): Promise<void> {
  let failed = 0;
  for (const { name, body, timeoutMs } of tests) {
    try {
      await limited(body, timeoutMs);
      console.log(`ok   ${name}`);
    } catch (error) {
      failed += 1;
      console.log(`FAIL ${name}\n`, error);
    }
  }
  console.log(`${tests.length - failed} passed, ${failed} failed`);
  process.exit(failed === 0 ? 0 : 1);
}

async function limited(body: Body, timeoutMs: number): Promise<void> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const timeout = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new AssertionError(`took longer than ${timeoutMs} ms`)), timeoutMs);
  });
  try {
    await Promise.race([(async () => body())(), timeout]);
  } finally {
    clearTimeout(timer);
    for (const undo of cleanups.splice(0).reverse()) await undo();
  }
}
