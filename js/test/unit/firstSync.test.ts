/** waitForFirstSync: every way it ends, and that nothing stays registered. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { column, openDatabase, Schema, SyncError, Table } from '../../index';
import type { AbortSignalLike } from '../../abort';
import { type FirstSyncOptions, waitForFirstSync } from '../../firstSync';
import { offlineStatus, type SyncStatus } from '../../status';
import { fake } from '../fakes/native';
import { isSyncError, settled } from './expect';

/** A database of which only the status is known. */
function source(first: Partial<SyncStatus> = {}) {
  let status: SyncStatus = { ...offlineStatus, ...first };
  let open = true;
  const listeners = new Set<() => void>();
  const tell = (): void => {
    for (const listener of [...listeners]) listener();
  };
  return {
    isOpen: () => open,
    current: () => status,
    add: (listener: () => void) => {
      listeners.add(listener);
      return () => { listeners.delete(listener); };
    },
    listeners,
    set: (change: Partial<SyncStatus>) => { status = { ...status, ...change }; tell(); },
    close: () => { open = false; tell(); },
  };
}

/** React Native's own AbortController: a signal without a reason. */
function oldAbortController() {
  const listeners = new Set<() => void>();
  const signal = {
    aborted: false,
    addEventListener: (_type: 'abort', listener: () => void) => { listeners.add(listener); },
    removeEventListener: (_type: 'abort', listener: () => void) => { listeners.delete(listener); },
  };
  const abort = (): void => {
    signal.aborted = true;
    for (const listener of [...listeners]) listener();
  };
  return { signal: signal satisfies AbortSignalLike, abort, listeners };
}

const error = (code: 'Unauthorized' | 'NoCredentials' | 'Network') => new SyncError(code, code, true);

/** Starts waiting; `outcome` is null when it has resolved. */
function wait(from: ReturnType<typeof source>, options?: FirstSyncOptions) {
  const state: { outcome: unknown } = { outcome: 'waiting' };
  const done = waitForFirstSync(from, options).then(
    () => { state.outcome = null; },
    (thrown: unknown) => { state.outcome = thrown; }
  );
  return { state, done };
}

test('resolves at once when there was a first sync, also with an error since, and registers nothing', async () => {
  const from = source({ hasSynced: true, error: error('Unauthorized') });
  from.add = () => assert.fail('registered');
  await waitForFirstSync(from, undefined);
});

test('resolves with the first complete round, not before; failures of the network are waited out', async () => {
  const from = source();
  const { state, done } = wait(from);
  from.set({ connecting: true });
  from.set({ connecting: false, error: error('Network') });
  await settled();
  assert.equal(state.outcome, 'waiting');
  from.set({ hasSynced: true, error: null });
  await done;
  assert.equal(state.outcome, null);
  assert.equal(from.listeners.size, 0);
});

for (const code of ['Unauthorized', 'NoCredentials'] as const) {
  test(`rejects with ${code}: at once, or when it happens; not while an attempt is under way`, async () => {
    const [now, later] = [error(code), error(code)];
    await assert.rejects(waitForFirstSync(source({ error: now }), undefined), (thrown) => thrown === now);
    const from = source({ error: error(code), connecting: true });
    const { state, done } = wait(from, { timeoutMs: 60_000 });
    await settled();
    assert.equal(state.outcome, 'waiting', 'the attempt may show that the error is out of date');
    from.set({ error: later, connecting: false });
    await done;
    assert.equal(state.outcome, later);
    assert.equal(from.listeners.size, 0);
  });
}

test('rejects with Closed when the database is closed, or was', async () => {
  const from = source();
  const { state, done } = wait(from);
  from.close();
  await done;
  assert.ok(isSyncError(state.outcome, 'Closed'));
  assert.equal(from.listeners.size, 0);
  await assert.rejects(waitForFirstSync(from, undefined), (e) => isSyncError(e, 'Closed'));
});

test('rejects with Timeout', async () => {
  const from = source();
  await assert.rejects(waitForFirstSync(from, { timeoutMs: 5 }), (e) => isSyncError(e, 'Timeout', '5 ms'));
  assert.equal(from.listeners.size, 0);
});

test('rejects with the reason of the signal, aborted before or later', async () => {
  const reason = new Error('mine');
  const aborted = { ...oldAbortController().signal, aborted: true, reason };
  await assert.rejects(waitForFirstSync(source(), { signal: aborted }), (thrown) => thrown === reason);
  const from = source();
  // React Native's types know no reason.
  const controller = new AbortController() as { signal: AbortSignalLike; abort(reason: unknown): void };
  const { state, done } = wait(from, { signal: controller.signal });
  controller.abort(reason);
  await done;
  assert.equal(state.outcome, reason);
  assert.equal(from.listeners.size, 0);
});

test('a signal without a reason gives an AbortError; its listener is taken off however the waiting ends', async () => {
  const { signal, abort, listeners } = oldAbortController();
  const from = source();
  const first = wait(from, { signal });
  const second = wait(from, { signal, timeoutMs: 5 });
  assert.equal(listeners.size, 2);
  await second.done;
  assert.equal(listeners.size, 1);
  abort();
  await first.done;
  assert.ok(first.state.outcome instanceof Error);
  assert.equal(first.state.outcome.name, 'AbortError');
  assert.deepEqual([listeners.size, from.listeners.size], [0, 0]);
});

for (const [options, ...words] of [
  [5, 'a number'],
  [{ timeout: 5 }, "'timeout'", 'timeoutMs'],
  [{ timeoutMs: -1 }, '-1'],
  [{ timeoutMs: '1s' }, 'a string'],
  [{ signal: {} }, 'AbortSignal', 'an object'],
  [{ signal: null }, 'AbortSignal', 'null'],
] as [unknown, ...string[]][]) {
  test(`refuses ${JSON.stringify(options)}`, async () => {
    await assert.rejects(waitForFirstSync(source(), options), (e) => isSyncError(e, 'BadArgument', 'waitForFirstSync', ...words));
  });
}

test('on a database: waits for its status, and closing ends the waiting', async () => {
  const schema = new Schema({ t: new Table({ a: column.text }) });
  const connector = { fetchCredentials: () => Promise.resolve(null) };
  const db = await openDatabase({ schema, userId: 'u', connector });
  const id = fake.openIds().at(-1) ?? 0;
  const first = db.waitForFirstSync({ timeoutMs: 10_000 });
  fake.setStatus(id, { connecting: true });
  fake.setStatus(id, { hasSynced: true });
  await first;
  await db.close();
  await assert.rejects(db.waitForFirstSync(), (e) => isSyncError(e, 'Closed'));

  const again = await openDatabase({ schema, userId: 'u', connector });
  const waiting = assert.rejects(again.waitForFirstSync(), (e) => isSyncError(e, 'Closed'));
  await again.close();
  await waiting;
});
