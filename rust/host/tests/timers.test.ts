// The order in which the event loop runs things, and what keeps the process alive.
import { assert, sleep, test } from '../../../scripts/host/harness';

test('microtasks come before timers, timers before later timers', async () => {
  const order: string[] = [];
  setTimeout(() => order.push('20'), 20);
  setTimeout(() => order.push('0a'), 0);
  setTimeout(() => order.push('0b'), 0);
  setTimeout(() => order.push('-1'), -1);
  queueMicrotask(() => order.push('microtask'));
  void Promise.resolve().then(() => order.push('then'));
  order.push('sync');
  await sleep(40);
  assert.deepEqual(order, ['sync', 'microtask', 'then', '0a', '0b', '-1', '20']);
});

test('microtasks run dry between two timers that are due together', async () => {
  const order: string[] = [];
  setTimeout(() => {
    order.push('a');
    void Promise.resolve().then(() => order.push('after a'));
  }, 0);
  setTimeout(() => order.push('b'), 0);
  await sleep(10);
  assert.deepEqual(order, ['a', 'after a', 'b']);
});

test('immediates queued by an immediate wait for the next round', async () => {
  const order: string[] = [];
  await new Promise<void>((resolve) => {
    setImmediate(() => {
      order.push('first');
      setImmediate(() => (order.push('second'), resolve()));
    });
    const cancelled = setImmediate(() => order.push('cancelled'));
    clearImmediate(cancelled);
    setImmediate((...args: string[]) => order.push(args.join('+')), 'with', 'arguments');
  });
  assert.deepEqual(order, ['first', 'with+arguments', 'second']);
});

test('an interval repeats until it is cleared, also from within', async () => {
  let ticks = 0;
  const timer = setInterval(() => {
    ticks += 1;
    if (ticks === 3) clearInterval(timer);
  }, 5);
  await sleep(60);
  assert.equal(ticks, 3);
});

test('a cleared timeout does not fire', async () => {
  let fired = false;
  clearTimeout(setTimeout(() => (fired = true), 5));
  clearTimeout(undefined);
  await sleep(20);
  assert.equal(fired, false);
});

test('timers are punctual', async () => {
  const before = performance.now();
  await sleep(50);
  const took = performance.now() - before;
  assert.ok(took >= 49 && took < 100, `slept ${took} ms`);
});

test('animation frames come with a time and can be cancelled', async () => {
  const times: number[] = [];
  await new Promise<void>((resolve) => {
    cancelAnimationFrame(requestAnimationFrame(() => times.push(-1)));
    requestAnimationFrame((first) => {
      times.push(first);
      requestAnimationFrame((second) => (times.push(second), resolve()));
    });
  });
  assert.equal(times.length, 2);
  assert.ok((times[1] as number) > (times[0] as number));
});

test('let in a loop is bound anew each time', () => {
  const read: (() => number)[] = [];
  for (let i = 0; i < 3; i++) read.push(() => i);
  assert.deepEqual(read.map((get) => get()), [0, 1, 2]);
});

test('asynchronous generators work', async () => {
  async function* count() {
    for (let i = 0; i < 3; i++) {
      await sleep(1);
      yield i;
    }
  }
  const seen: number[] = [];
  for await (const value of count()) seen.push(value);
  assert.deepEqual(seen, [0, 1, 2]);
});
