import assert from 'node:assert/strict';
import { test } from 'node:test';
import { appUnderTest } from '@omnii/phone';
import { signIn, SYNC_MS, waitForPending, waitForStatus, withBackend } from './steps';

const app = appUnderTest();

test('a wrong password is refused in words, a right one brings the list', () =>
  withBackend([], async (scene) => {
    const user = await scene.server.signUp('ada@example.com');
    const phone = await scene.phone({ app });
    await phone.getByTestId('sign-in-email').type(user.email);
    await phone.getByTestId('sign-in-password').type('not the password');
    await phone.getByTestId('sign-in-submit').press();
    assert.notEqual(await phone.getByTestId('sign-in-error').text(), '');
    await signIn(phone, user);
  }));

test('sign up from the app', () =>
  withBackend([], async (scene) => {
    const phone = await scene.phone({ app });
    await phone.getByTestId('sign-in-toggle').press();
    await signIn(phone, { email: 'grace@example.com', password: 'a long password' });
  }));

test('the first sync shows its progress, then the list', () =>
  withBackend(['--seed', '20000'], async (scene) => {
    assert.ok(scene.server.demo);
    const phone = await scene.phone({ app });
    const seen = new Set<string>();
    phone.setBandwidth(3_000_000);
    await signIn(phone, scene.server.demo);
    // The bar is there while rows come; the status says so.
    await phone.getByTestId('tab-sync').press();
    await phone.waitFor(
      async () => {
        for (const { text } of await phone.getByTestId('connection-status').all()) seen.add(text);
        if ((await phone.getByTestId('sync-progress').count()) > 0) seen.add('progress');
        return [...seen].some((text) => text.startsWith('Synced'));
      },
      'the first sync to end',
      { timeoutMs: SYNC_MS },
    );
    assert.ok(seen.has('progress'), `no progress bar was seen, only ${[...seen].join(', ')}`);
    await waitForPending(phone, 0);
    await waitForStatus(phone, 'Synced');
    await phone.getByTestId('tab-entities').press();
    await phone.getByTestId(/^entity-row-/).nth(0).waitFor();
    const rows = await phone.getByTestId(/^entity-row-/).all();
    assert.ok(rows.length >= 5 && rows.length < 200, `${rows.length} rows are mounted: the list is not virtualised`);
  }));
