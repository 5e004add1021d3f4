// Debian packages for the scripts: what is missing of a list, and installing it. Uses nothing outside Node.

import { spawnSync } from 'node:child_process';
import { run } from './process.mjs';

/**
 * @typedef {{ name: string, why: string, isThere: () => boolean }} SystemPackage `isThere` looks for what the package is for, however
 * it came
 */

/** @param {SystemPackage[]} packages */
export function missingPackages(packages) {
  return packages.filter(({ isThere }) => !isThere());
}

/**
 * Installs what is missing, as root; otherwise throws with the line to run. Answers what it did.
 * @param {SystemPackage[]} packages
 * @param {{ say: (text: string) => void, toStderr?: boolean }} options
 */
export async function installPackages(packages, { say, toStderr = false }) {
  const missing = missingPackages(packages);
  if (missing.length === 0) return 'all there';
  for (const { name, why } of missing) say(`      missing: ${name} (${why})`);
  const names = missing.map(({ name }) => name);
  if (!isInstalled('apt-get')) throw new Error(`install what these Debian packages hold, then run this again: ${names.join(' ')}`);
  const install = ['install', '-y', '--no-install-recommends', ...names];
  if (process.getuid() !== 0) throw new Error(`run this, then try again:\n\n  sudo apt-get update && sudo apt-get ${install.join(' ')}\n`);
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  const patient = ['-o', 'DPkg::Lock::Timeout=600', '-o', 'Acquire::Retries=3', '-q'];
  // The lists may be of today all the same: a failure here is none yet.
  if ((await run('apt-get', [...patient, 'update'], { env, toStderr })) !== 0) say('      apt-get update failed; trying with the lists there are');
  if ((await run('apt-get', [...patient, ...install], { env, toStderr })) !== 0) throw new Error(`apt-get ${install.join(' ')} failed, see above`);
  const still = missingPackages(packages).map(({ name }) => name);
  if (still.length > 0) throw new Error(`installed, but not found: ${still.join(' ')}`);
  return `installed ${names.join(' ')}`;
}

/** Whether this program is there and answers its version. */
export function isInstalled(command) {
  return spawnSync(command, ['--version'], { stdio: 'ignore' }).status === 0;
}
