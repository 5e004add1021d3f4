// Pictures of every screen of the example app, light and dark, at the size of a phone: example-app/screenshots/*.png.
//
//   npm run screenshots -- [part of a picture's name …]
//
// The web app in Chromium, over the fake native module (scripts/screenshots/metro.config.cjs) with the rows of
// scripts/screenshots/fixtures.mjs; accounts are the reference backend's. An error on a page fails the run.

import { mkdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './host/hermes.mjs';
import { exportScreens, exportWeb, signIn, startApp } from './web/app.mjs';
import { observe } from './web/browser.mjs';
import { account, NOW, refusedName, rows, shown } from './screenshots/fixtures.mjs';

const OUT = join(root, 'example-app/screenshots');
const WASM = { 'sql-wasm-browser.wasm': join(root, 'node_modules/sql.js/dist/sql-wasm-browser.wasm') };
const WAIT_MS = 20_000;
const SETTLE_MS = 700;

const wanted = process.argv.slice(2);
mkdirSync(OUT, { recursive: true });
const problems = [];
const app = await startApp(await exportScreens(), WASM);
const plain = await startApp(await exportWeb());
try {
  for (const theme of ['light', 'dark']) {
    await withPage(app, theme, account, takeScreens);
    await withPage(plain, theme, account, takeUnsupported);
  }
} finally {
  await app.stop();
  await plain.stop();
}
if (problems.length > 0) {
  console.error(problems.join('\n'));
  process.exitCode = 1;
}

async function withPage({ url, browser }, theme, { email, password }, work) {
  const context = await browser.newContext({
    viewport: { width: 390, height: 844 }, deviceScaleFactor: 2, hasTouch: true, colorScheme: theme, locale: 'en-US', timezoneId: 'UTC', reducedMotion: 'reduce',
  });
  const page = await context.newPage();
  page.setDefaultTimeout(WAIT_MS);
  const seen = observe(page);
  await page.clock.setFixedTime(NOW);
  await page.goto(url);
  const shoot = async (name) => {
    if (wanted.length > 0 && !wanted.some((part) => name.includes(part))) return;
    await page.waitForTimeout(SETTLE_MS);
    const path = join(OUT, `${name}-${theme}.png`);
    await page.screenshot({ path, animations: 'disabled', caret: 'hide' });
    console.log(`${name}-${theme}.png  ${Math.ceil(statSync(path).size / 1024)} KB`);
  };
  // One account for each theme: each has a device of its own, but the backend is one.
  await work(page, { shoot, email: `${theme}.${email}`, password, tab: (name) => page.getByTestId(`tab-${name}`).first().click() });
  problems.push(...seen.problems.map((problem) => `${theme}: ${problem}`));
  await context.close();
}

async function takeScreens(page, { shoot, email, password, tab }) {
  const byId = (testId) => page.getByTestId(testId).first();
  await byId('sign-in-email').waitFor();
  await shoot('sign-in');
  await page.evaluate((tables) => Object.entries(tables).forEach(([table, all]) => globalThis.syncFake.deliver(table, all)), rows);
  await signIn(page, { email, password, isNew: true });

  await byId(`entity-row-${shown.detail}`).waitFor();
  await shoot('entities');
  await byId('entity-search').fill('nothing like this');
  await shoot('entities-empty');
  await byId('entity-search').fill('');
  await byId('entity-new').click();
  await byId('entity-name').waitFor();
  await shoot('entity-new');
  await page.goBack();
  await byId(`entity-row-${shown.detail}`).click();
  await byId('entity-title').waitFor();
  await shoot('entity');
  await page.goBack();

  await tab('timeline');
  await byId('timeline-list').waitFor();
  await shoot('timeline');
  await tab('sync');
  await byId('connection-status').waitFor();
  await shoot('sync');
  await tab('profile');
  await byId('profile-email').waitFor();
  await shoot('profile');
}

async function takeUnsupported(page, { shoot, email, password }) {
  await signIn(page, { email, password, isNew: true });
  await page.getByTestId('unsupported-notice').first().waitFor();
  await shoot('unsupported');
}
