/** SyncProvider between users, and between foreground and background, against the fake native module. */
import assert from 'node:assert/strict';
import { afterEach, beforeEach, test } from 'node:test';
import { StrictMode } from 'react';
import { act } from 'react-test-renderer';
import type { CredentialsChange, SyncConnector, SyncError, SyncProviderProps } from '../../index';
import { fake, nativeError } from '../fakes/native';
import { appBecomes, AppState, Platform } from '../fakes/react-native';
import { consoleErrors, isSyncError, settled } from './expect';
import { calls, database, methods, openId, reset, show, state, tree, unmount, unmountAndCheck } from './mounted';

beforeEach(reset);
afterEach(unmountAndCheck);

/** Makes the next call of a method wait; answers what lets it go. */
function hold(method: keyof typeof fake.hold): () => void {
  let release = (): void => undefined;
  fake.hold[method] = new Promise<void>((resolve) => { release = resolve; });
  return release;
}
const becomes = (...sequence: Parameters<typeof appBecomes>[0][]) =>
  act(async () => {
    sequence.forEach(appBecomes);
    await settled();
  });
const lifecycle = () => calls('notify', 'prepareForSuspend', 'resume').map((call) => call.replace(/\(\d+(, )?/, '('));

test('signing out ends the session by the policy, once, and before the next user', async () => {
  await show(tree({ userId: 'one' }));
  const first = openId();
  const release = hold('signOut');
  await show(tree({ userId: 'two' }));
  assert.deepEqual(calls('open', 'signOut', 'close'), ['open', `signOut(${first}, clearWhenSynced, 10000)`]);
  assert.deepEqual([state().isInitialized, database()], [false, null]);
  release();
  await act(settled);
  assert.deepEqual(methods('open', 'signOut', 'close'), ['open', 'signOut', 'open']);
  const second = openId();
  await show(tree({ userId: null, onSignOut: 'keep' }));
  assert.deepEqual(calls('signOut').at(-1), `signOut(${second}, keep, 10000)`, 'the policy given with the change counts');
  assert.deepEqual(fake.openIds(), []);
});

test('unmounting, other options and StrictMode only close', async () => {
  await show(<StrictMode>{tree({ onSignOut: 'clear' })}</StrictMode>);
  await show(<StrictMode>{tree({ onSignOut: 'clear', sync: { pageLimit: 7 } })}</StrictMode>);
  await unmount();
  assert.deepEqual(methods('open', 'signOut', 'close'), ['open', 'close', 'open', 'close']);
});

test('StrictMode: another user is signed out once', async () => {
  await show(<StrictMode>{tree({ userId: 'one' })}</StrictMode>);
  await show(<StrictMode>{tree({ userId: 'two' })}</StrictMode>);
  assert.deepEqual(methods('open', 'signOut', 'close'), ['open', 'signOut', 'open']);
});

test('signing out while the file is being opened', async () => {
  const release = hold('open');
  await show(tree({ userId: 'one', onSignOut: 'clear' }));
  await show(tree({ userId: null, onSignOut: 'clear' }));
  release();
  await act(settled);
  assert.deepEqual(methods('open', 'connect', 'signOut', 'close'), ['open', 'signOut']);
});

test('signing out before the file was opened: it is opened only to be cleared', async () => {
  for (const [onSignOut, expected] of [['clear', ['open', 'signOut']], ['keep', []]] as const) {
    const release = hold('signOut');
    await show(tree({ userId: 'before' }));
    await show(tree({ userId: 'one', onSignOut }));
    fake.log.length = 0;
    await show(tree({ userId: null, onSignOut }));
    release();
    await act(settled);
    assert.deepEqual(methods('open', 'connect', 'signOut', 'close'), expected);
  }
});

test('the next user’s connector does not answer for the one before', async () => {
  const by = (token: string): SyncConnector => ({ fetchCredentials: () => Promise.resolve({ endpoint: 'http://h', token }) });
  await show(tree({ userId: 'one', connector: by('one') }));
  const first = openId();
  assert.match((await fake.requestCredentials(first)).credentials, /"one"/);
  const release = hold('signOut');
  await show(tree({ userId: 'two', connector: by('two') }));
  assert.deepEqual(await fake.requestCredentials(first), { credentials: 'null', error: '' });
  release();
  await act(settled);
  assert.match((await fake.requestCredentials(openId())).credentials, /"two"/);
});

test('a failing sign-out is told, and the next user is opened all the same', async () => {
  const errors: SyncError[] = [];
  const onError = (error: SyncError): void => { errors.push(error); };
  await show(tree({ userId: 'one', onError }));
  fake.fail.signOut = nativeError('DiskFull', 'no space left');
  await show(tree({ userId: 'two', onError }));
  assert.deepEqual(errors.map(({ code }) => code), ['DiskFull']);
  assert.deepEqual([state().isInitialized, state().error], [true, null]);
});

test('an app that signs out by itself before is not told of an error', async () => {
  const errors: SyncError[] = [];
  const props: Partial<SyncProviderProps> = { onError: (error) => { errors.push(error); } };
  await show(tree(props));
  await act(async () => { await database()?.signOut({ onSignOut: 'clear' }); });
  await becomes('active');
  await show(tree({ ...props, userId: null }));
  assert.deepEqual(errors, []);
  assert.equal(calls('signOut').length, 1);
});

test('Android: foreground and background are told', async () => {
  await show(tree({}));
  await becomes('inactive');
  assert.deepEqual(lifecycle(), []);
  await becomes('background', 'active');
  assert.deepEqual(lifecycle(), ['notify(background)', 'notify(foreground)']);
});

test('Android: a database that is opened in the background is told before it connects', async () => {
  AppState.currentState = 'background';
  await show(tree({}));
  assert.deepEqual(methods('notify', 'connect'), ['notify', 'connect']);
  assert.deepEqual(lifecycle(), ['notify(background)']);
});

test('iOS: the file is let go in the background and taken up before anything else', async () => {
  Platform.OS = 'ios';
  await show(tree({}));
  await becomes('inactive', 'active');
  assert.deepEqual(lifecycle(), ['notify(foreground)'], 'inactive is not the background');
  fake.log.length = 0;
  await becomes('inactive', 'background');
  assert.deepEqual(lifecycle(), ['prepareForSuspend()']);
  await becomes('inactive', 'active');
  assert.deepEqual(lifecycle(), ['prepareForSuspend()', 'resume()', 'notify(foreground)']);
});

test('iOS: back and forth faster than the engine', async () => {
  Platform.OS = 'ios';
  await show(tree({}));
  const release = hold('prepareForSuspend');
  await becomes('background', 'active', 'background', 'active');
  assert.deepEqual(lifecycle(), ['prepareForSuspend()']);
  release();
  await act(settled);
  assert.deepEqual(calls('prepareForSuspend', 'resume').map((call) => call.replace(/\(.*/, '')), [
    'prepareForSuspend', 'resume', 'prepareForSuspend', 'resume',
  ]);
  assert.ok(lifecycle().includes('notify(foreground)'));
});

test('iOS: a file that is opened in the background is let go, until the app comes to the front', async () => {
  Platform.OS = 'ios';
  AppState.currentState = 'background';
  await show(<StrictMode>{tree({})}</StrictMode>);
  assert.deepEqual(methods('open', 'connect', 'prepareForSuspend'), ['open', 'connect', 'prepareForSuspend']);
  await becomes('active');
  assert.deepEqual(lifecycle(), ['prepareForSuspend()', 'resume()', 'notify(foreground)']);
  await show(<StrictMode>{tree({ userId: 'two' })}</StrictMode>);
  assert.equal(calls('prepareForSuspend').length, 1, 'the next one is opened in the foreground');
});

test('iOS: another user while suspended', async () => {
  Platform.OS = 'ios';
  await show(tree({ userId: 'one' }));
  await becomes('background');
  await show(tree({ userId: 'two' }));
  assert.deepEqual(methods('open', 'prepareForSuspend', 'resume', 'signOut'), [
    'open', 'prepareForSuspend', 'resume', 'signOut', 'open', 'prepareForSuspend',
  ]);
});

test('a failure to suspend or to resume goes to onError, and the state goes on telling of the engine', async () => {
  Platform.OS = 'ios';
  const errors: SyncError[] = [];
  await show(tree({ onError: (error) => { errors.push(error); } }));
  fake.fail.prepareForSuspend = nativeError('Busy', 'locked', true);
  await becomes('background');
  fake.fail.resume = nativeError('Unwritable', 'gone');
  await becomes('active');
  assert.deepEqual(errors.map(({ code }) => code), ['Busy', 'Unwritable']);
  assert.deepEqual([state().error, state().status], [null, 'connecting']);
});

test('signed out, events of the app and of the network change nothing', async () => {
  let regained = (): void => undefined;
  await show(tree({ userId: null, subscribeToNetwork: (onRegained) => { regained = onRegained; return () => undefined; } }));
  await becomes('background', 'active');
  regained();
  assert.deepEqual(fake.log, []);
});

test('the network: subscribed once though made inline, told, and let go', async () => {
  let regained = (): void => undefined;
  const counts = { on: 0, off: 0 };
  const props = (): Partial<SyncProviderProps> => ({
    subscribeToNetwork: (onRegained) => {
      counts.on += 1;
      regained = onRegained;
      return () => { counts.off += 1; };
    },
  });
  await show(tree({}));
  await show(tree(props()));
  await show(tree(props()));
  assert.deepEqual(counts, { on: 1, off: 0 });
  await act(async () => { regained(); await settled(); });
  assert.deepEqual(lifecycle(), ['notify(networkRegained)']);
  await show(tree({}));
  assert.deepEqual(counts, { on: 1, off: 1 });
  await show(<StrictMode>{tree(props())}</StrictMode>);
  await unmount();
  assert.equal(counts.on, counts.off);
});

test('a subscribeToNetwork that throws or answers nothing is reported at most', async () => {
  const errors = await consoleErrors(async () => {
    await show(tree({ subscribeToNetwork: () => { throw new Error('mine'); } }));
    await unmount();
    await show(tree({ subscribeToNetwork: (() => undefined) as never }));
    await unmount();
  });
  // React's renderer for tests complains about itself.
  assert.deepEqual(errors.map(([words]) => String(words)).filter((words) => words.startsWith('@omnii')), [
    '@omnii/sync: subscribeToNetwork threw',
  ]);
});

test('the connector may tell of a renewed token, also when it is made inline', async () => {
  let tell: (change?: CredentialsChange) => void = () => assert.fail('nobody listens');
  const counts = { on: 0, off: 0 };
  let token = 'a';
  const connector = (): SyncConnector => ({
    fetchCredentials: () => Promise.resolve({ endpoint: 'http://h', token }),
    subscribe: (onChanged) => {
      counts.on += 1;
      tell = onChanged;
      return () => { counts.off += 1; };
    },
  });
  await show(tree({ connector: connector() }));
  await show(tree({ connector: connector() }));
  assert.deepEqual(counts, { on: 1, off: 0 });
  await fake.requestCredentials(openId());
  token = 'b';
  tell({ token });
  await settled();
  assert.deepEqual(lifecycle(), ['notify(credentialsChanged)']);
  assert.match((await fake.requestCredentials(openId())).credentials, /"b"/);
  tell({ token });
  assert.equal(lifecycle().length, 1);
  await show(tree({ connector: connector(), userId: null }));
  assert.deepEqual(counts, { on: 1, off: 1 });
});

test('a wrong policy is an error of opening', async () => {
  await show(tree({ onSignOut: 'burn' as never }));
  assert.ok(isSyncError(state().error, 'InvalidOptions', 'onSignOut', "'burn'"));
  assert.deepEqual(fake.log, []);
});
