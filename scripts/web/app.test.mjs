// The example app in Chromium, as a visitor has it: it starts, signs up and in, and says that local sync needs the native
// module. All the while nothing may be thrown, logged as an error, or refused.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { exportWeb, signIn, startApp } from './app.mjs';
import { observe } from './browser.mjs';

const WAIT_MS = 20_000;
const account = { email: 'web@example.com', password: 'correct-horse' };

let app;
before(async () => {
  app = await startApp(await exportWeb());
});
after(() => app?.stop());

/** A browser of its own: nothing stored, nothing seen. */
async function visit(path = '/') {
  const context = await app.browser.newContext({ viewport: { width: 390, height: 844 } });
  const page = await context.newPage();
  page.setDefaultTimeout(WAIT_MS);
  const seen = observe(page);
  await page.goto(app.url + path);
  return { context, page, ...seen };
}

const isShown = (page, testId) => page.getByTestId(testId).first().waitFor({ state: 'visible' });

test('what must not happen is noticed when it happens', async () => {
  const { context, page, problems } = await visit();
  await page.evaluate(async () => {
    console.error('said');
    setTimeout(() => { throw new Error('thrown'); });
    await fetch('/no-such-file.json');
    await fetch('http://127.0.0.1:1/').catch(() => undefined);
  });
  for (const word of [/^console.error: said/, /^uncaught: .*thrown/, /^answered 404/, /^request failed/]) {
    assert.ok(problems.some((problem) => word.test(problem)), `${word} is not in\n${problems.join('\n')}`);
  }
  await context.close();
});

test('a visitor signs up and is told that this platform has no local sync', async () => {
  const { context, page, problems, warnings } = await visit();
  await signIn(page, { ...account, isNew: true });
  await isShown(page, 'unsupported-notice');
  assert.equal(await page.getByText('cannot be read').count(), 0, 'said twice');
  for (const tab of ['tab-entities', 'tab-timeline', 'tab-sync', 'tab-profile']) {
    await page.getByTestId(tab).first().click();
  }
  await isShown(page, 'profile-email');
  assert.match((await page.getByTestId('profile-email').textContent()) ?? '', /web@example\.com/);
  assert.deepEqual(problems, []);
  // Said once, where a developer looks.
  assert.equal(warnings.filter((text) => text.includes('@omnii/sync')).length, 1, warnings.join('\n'));
  await context.close();
});

test('signs in again after a reload has kept the session and signing out has ended it', async () => {
  const { context, page, problems } = await visit();
  await signIn(page, account);
  await isShown(page, 'unsupported-notice');
  await page.reload();
  await isShown(page, 'unsupported-notice');
  await page.getByTestId('tab-profile').first().click();
  await page.getByTestId('sign-out').click();
  await page.getByTestId('sign-out-confirm').click();
  await isShown(page, 'sign-in-email');
  assert.deepEqual(problems, []);
  await context.close();
});

test('a wrong password is said on the form', async () => {
  const { context, page, problems } = await visit();
  await signIn(page, { ...account, password: 'not-the-one' });
  await isShown(page, 'sign-in-error');
  // The browser itself writes the backend's 400 to the console; nothing else is there.
  assert.deepEqual(problems.filter((text) => !/\b400\b/.test(text)), []);
  await context.close();
});

test('an address inside the app opens there, and one that leads nowhere does no harm', async () => {
  for (const path of ['/entity/none', '/nothing/here']) {
    const { context, page, problems } = await visit(path);
    await page.waitForLoadState('networkidle');
    assert.ok(((await page.textContent('body')) ?? '').trim().length > 0, `${path} is empty`);
    assert.deepEqual(problems, []);
    await context.close();
  }
});
