// Chromium for the scripts: Debian's, or the one that `OMNII_CHROMIUM` names. playwright-core drives it and downloads nothing.

import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { chromium } from 'playwright-core';
import { root } from '../host/hermes.mjs';
import { findChromium } from './chromium.mjs';

/** playwright-core wants a path. */
function executable() {
  const name = findChromium();
  if (!name) throw new Error('Chromium is missing: run `npm run setup`, or set OMNII_CHROMIUM');
  return spawnSync('sh', ['-c', 'command -v "$0"', name], { encoding: 'utf8' }).stdout.trim();
}

const FONTS = join(root, 'scripts/screenshots/fonts.conf');

/** @returns {Promise<import('playwright-core').Browser>} */
export function launchBrowser() {
  return chromium.launch({
    executablePath: executable(),
    headless: true,
    env: { ...process.env, FONTCONFIG_FILE: FONTS },
    // Root has no sandbox. /dev/shm is small in containers. The same picture on every machine.
    args: [...(process.getuid?.() === 0 ? ['--no-sandbox'] : []), '--disable-dev-shm-usage', '--force-color-profile=srgb', '--font-render-hinting=none'],
  });
}

/**
 * Writes down all that must not happen on a page: uncaught errors, errors on the console, requests that fail or are refused.
 * @param {import('playwright-core').Page} page
 * @returns {{ problems: string[], warnings: string[] }} both grow
 */
export function observe(page) {
  const problems = [];
  const warnings = [];
  page.on('pageerror', (error) => problems.push(`uncaught: ${error.stack ?? error.message}`));
  page.on('console', (message) => {
    if (message.type() === 'error') problems.push(`console.error: ${message.text()}`);
    if (message.type() === 'warning') warnings.push(message.text());
  });
  page.on('requestfailed', (request) => problems.push(`request failed: ${request.method()} ${request.url()}: ${request.failure()?.errorText}`));
  page.on('response', (response) => {
    if (response.status() >= 400) problems.push(`answered ${response.status()}: ${response.request().method()} ${response.url()}`);
  });
  return { problems, warnings };
}
