// The example app in a browser, as the tests and the screenshots have it: its exports, where it finds the backend, signing in.

import { join } from 'node:path';
import { root } from '../host/hermes.mjs';
import { exportApp } from '../export-app.mjs';
import { startBackend } from './backend.mjs';
import { launchBrowser } from './browser.mjs';
import { serve } from './serve.mjs';

/** Stands in the export for the backend's address, which is known only when the backend runs; `serve` puts that in its place. */
const BACKEND = 'http://backend.invalid';
const ENV = { EXPO_PUBLIC_SUPABASE_URL: BACKEND, EXPO_PUBLIC_SUPABASE_ANON_KEY: 'anon', EXPO_PUBLIC_MCP_BASE_URL: BACKEND };

/** The production app for the web. */
export const exportWeb = () => exportApp({ name: 'web', platform: 'web', env: ENV });

/** The app over the fake native module: for the screenshots, and for what needs rows. Start it with `SQLITE`. */
export const exportScreens = () =>
  exportApp({ name: 'screenshots', platform: 'web', env: ENV, metroConfig: join(root, 'scripts/screenshots/metro.config.cjs') });

/** What the fake's SQLite asks for, to be served beside the app. */
export const SQLITE = { 'sql-wasm-browser.wasm': join(root, 'node_modules/sql.js/dist/sql-wasm-browser.wasm') };

/** The production app for Android. */
export const exportAndroid = () => exportApp({ name: 'android', platform: 'android' });

/**
 * Starts the backend, serves the export and opens the browser.
 * @param {string} folder
 * @param {Record<string, string>} [files] see `serve`
 */
export async function startApp(folder, files = {}) {
  const backend = await startBackend();
  const site = await serve(folder, { replace: { [BACKEND]: backend.url }, files });
  const browser = await launchBrowser();
  return {
    url: site.url,
    browser,
    stop: async () => {
      await browser.close();
      await site.close();
      await backend.stop();
    },
  };
}

/**
 * Fills in the form of the sign-in screen, which must be showing.
 * @param {import('playwright-core').Page} page
 * @param {{ email: string, password: string, isNew?: boolean }} account `isNew`: signs up
 */
export async function signIn(page, { email, password, isNew = false }) {
  if (isNew) await page.getByTestId('sign-in-toggle').click();
  await page.getByTestId('sign-in-email').fill(email);
  await page.getByTestId('sign-in-password').fill(password);
  await page.getByTestId('sign-in-submit').click();
}
