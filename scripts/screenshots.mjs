// Pictures of every screen of the example app, light and dark, at the size of a phone: example-app/screenshots/*.png.
//
//   npm run screenshots -- [part of a picture's name …]
//
// The web app in Chromium, over the fake native module (scripts/screenshots/metro.config.cjs) with the rows of
// scripts/screenshots/fixtures.mjs; the account is the reference backend's. Fails if anything goes wrong on a page.

import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './host/hermes.mjs';
import { exportScreens, exportWeb, signIn, SQLITE, startApp } from './web/app.mjs';
import { observe } from './web/browser.mjs';
import { account, NOW, refusal, rows, shown, written } from './screenshots/fixtures.mjs';
import { withPalette } from './screenshots/palette.mjs';

const OUT = join(root, 'example-app/screenshots');
const WAIT_MS = 20_000;
const SETTLE_MS = 600;
const PHONE = { viewport: { width: 390, height: 844 }, deviceScaleFactor: 2, hasTouch: true, locale: 'en-US', timezoneId: 'UTC', reducedMotion: 'reduce' };

const wanted = process.argv.slice(2);
mkdirSync(OUT, { recursive: true });
const problems = [];
await withApp(await exportScreens(), takeScreens);
await withApp(await exportWeb(), takeUnsupported);
if (problems.length > 0) {
  console.error(problems.join('\n'));
  process.exitCode = 1;
}

async function withApp(folder, take) {
  const app = await startApp(folder, SQLITE);
  try {
    await withPage(app, 'light', true, take);
    await withPage(app, 'dark', false, take);
  } finally {
    await app.stop();
  }
}

/** `isNew`: the account has to be made first. */
async function withPage({ url, browser }, theme, isNew, take) {
  const context = await browser.newContext({ ...PHONE, colorScheme: theme });
  const page = await context.newPage();
  page.setDefaultTimeout(WAIT_MS);
  const seen = observe(page);
  await page.clock.install({ time: NOW });
  await page.goto(url);
  // Tabs and screens below the one that shows stay in the page.
  const byId = (testId) => page.getByTestId(testId).filter({ visible: true }).first();
  const shoot = async (name) => {
    await page.waitForTimeout(SETTLE_MS);
    const bar = await page.getByTestId('tab-entities').filter({ visible: true }).all();
    const bottoms = await Promise.all(bar.map(async (entry) => (await entry.boundingBox()).y));
    if (bottoms.some((y) => y > PHONE.viewport.height)) problems.push(`${name}-${theme}: the tab bar is below the screen`);
    if (wanted.length > 0 && !wanted.some((part) => name.includes(part))) return;
    const file = withPalette(await page.screenshot({ animations: 'disabled', caret: 'hide' }));
    writeFileSync(join(OUT, `${name}-${theme}.png`), file);
    console.log(`${name}-${theme}.png  ${Math.ceil(file.length / 1024)} KB`);
  };
  await take({ page, byId, shoot, enter: () => signIn(page, { ...account, isNew }) });
  problems.push(...seen.problems.map((problem) => `${theme}: ${problem}`));
  await context.close();
}

async function takeScreens({ page, byId, shoot, enter }) {
  const fake = (work, argument) => page.evaluate(work, argument);
  const pressAll = async (...testIds) => {
    for (const testId of testIds) await byId(testId).click();
  };
  const add = async (name) => {
    await pressAll('tab-entities', 'entity-new');
    await byId('entity-name').fill(name);
    await pressAll('entity-save');
    await byId('entity-new').waitFor();
  };

  await byId('sign-in-email').waitFor();
  await shoot('sign-in');
  await fake((tables) => Object.entries(tables).forEach(([table, all]) => globalThis.syncFake.deliver(table, all)), rows);
  await enter();

  await byId(`entity-row-${shown.detail}`).waitFor();
  await shoot('entities');
  await byId('entity-search').fill('nothing like this');
  await shoot('entities-empty');
  await byId('entity-search').fill('');
  await pressAll('entity-new');
  await byId('entity-name').waitFor();
  await shoot('entity-new');
  await pressAll('page-back', `entity-row-${shown.detail}`);
  await byId('entity-title').waitFor();
  await shoot('entity');
  await pressAll('page-back', 'tab-timeline');
  await byId('timeline-list').waitFor();
  await shoot('timeline');

  // Some rounds for the chart; a few of them have something to upload.
  for (const name of written) {
    await add(name);
    await pressAll('tab-sync');
    for (let round = 0; round < 6; round++) {
      await pressAll('sync-trigger');
      await page.waitForTimeout(50);
    }
  }
  await shoot('sync');

  await fake(({ name, reason }) => void globalThis.syncFake.refuse((change) => JSON.stringify(change).includes(name), reason), refusal);
  await pressAll('tab-entities', `entity-row-${shown.refused}`, 'entity-edit');
  await byId('entity-name').fill(refusal.name);
  await shoot('entity-edit');
  await pressAll('entity-save', 'page-back', 'tab-sync');
  await page.getByText(refusal.reason).waitFor();
  await shoot('sync-refused');

  await fake(() => globalThis.syncFake.setOnline(false));
  await add('Written without a network');
  await shoot('entities-offline');
  await pressAll('tab-sync');
  await shoot('sync-offline');
  await pressAll('tab-profile');
  await byId('profile-email').waitFor();
  await shoot('profile');
}

async function takeUnsupported({ byId, shoot, enter }) {
  await byId('sign-in-email').waitFor();
  await enter();
  await byId('unsupported-notice').waitFor();
  await shoot('unsupported');
}
