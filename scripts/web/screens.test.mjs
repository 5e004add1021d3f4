// The example app's screens with rows in them, in Chromium, over the fake native module: what a layout does with more than
// fits, and what a user does with a form. How the app syncs is tested on the headless phone, with the engine.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { exportScreens, signIn, SQLITE, startApp } from './app.mjs';
import { observe } from './browser.mjs';

const ROWS = 300;
const VIEWPORT = { width: 390, height: 844 };

let app;
before(async () => {
  app = await startApp(await exportScreens(), SQLITE);
});
after(() => app?.stop());

test('a list longer than the screen scrolls inside it, a new entity is at its top, and the bar stays where it is', async () => {
  const page = await (await app.browser.newContext({ viewport: VIEWPORT })).newPage();
  page.setDefaultTimeout(20_000);
  const { problems } = observe(page);
  await page.goto(app.url);
  await page.evaluate((count) => {
    const created = (n) => new Date(Date.UTC(2026, 0, 1) + n * 60_000).toISOString();
    globalThis.syncFake.deliver(
      'sync_entities',
      Array.from({ length: count }, (_, n) => ({ id: `row-${n}`, entity_type: 'task', name: `Row ${n}`, properties: '{}', created_at: created(n) }))
    );
  }, ROWS);
  await signIn(page, { email: 'rows@example.com', password: 'correct-horse', isNew: true });
  const byId = (testId) => page.getByTestId(testId).filter({ visible: true }).first();

  await byId(`entity-row-row-${ROWS - 1}`).waitFor();
  for (const testId of ['tab-entities', 'entity-new']) {
    const { y, height } = await byId(testId).boundingBox();
    assert.ok(y + height <= VIEWPORT.height, `${testId} ends at ${y + height}`);
  }
  await byId('entity-list').hover();
  await page.mouse.wheel(0, 4000);
  await byId(`entity-row-row-${ROWS - 60}`).waitFor();

  await byId('entity-new').click();
  await byId('entity-name').fill('The newest');
  await byId('entity-save').click();
  await page.mouse.wheel(0, -10_000);
  await page.getByText('The newest').filter({ visible: true }).waitFor();
  const uploaded = await page.evaluate(() => globalThis.syncFake.uploaded().length);
  assert.equal(uploaded, 1);
  assert.deepEqual(problems, []);
});
