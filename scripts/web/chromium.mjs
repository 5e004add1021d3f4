// Where Chromium is. Uses nothing outside Node: setup asks, too.

import { spawnSync } from 'node:child_process';

const NAMES = ['chromium', 'chromium-browser', 'google-chrome'];

/**
 * `OMNII_CHROMIUM`, or the first that is installed.
 * @returns {string | undefined}
 */
export function findChromium() {
  if (process.env.OMNII_CHROMIUM) return process.env.OMNII_CHROMIUM;
  return NAMES.find((name) => spawnSync(name, ['--version'], { stdio: 'ignore' }).status === 0);
}
