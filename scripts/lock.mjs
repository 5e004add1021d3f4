// One at a time across processes: a file lock that the kernel gives back however its holder ends. Uses flock(1), which is
// part of every Debian and Ubuntu; where there is none (macOS), nothing is locked.

import { spawn, spawnSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';

/**
 * Runs `work` while no one else holds `file`. `waiting` is called if it has to wait.
 * @template T
 * @param {string} file
 * @param {() => void} waiting
 * @param {() => Promise<T>} work
 * @returns {Promise<T>}
 */
export async function withLock(file, waiting, work) {
  if (spawnSync('flock', ['--version'], { stdio: 'ignore' }).error) return work();
  mkdirSync(dirname(file), { recursive: true });
  // The child holds the lock for as long as its standard input is open, which ends with us at the latest.
  const holder = spawn('flock', [file, 'sh', '-c', 'echo held; exec cat'], { stdio: ['pipe', 'pipe', 'inherit'], detached: true });
  const timer = setTimeout(waiting, 500);
  try {
    await new Promise((resolve, reject) => {
      holder.stdout.once('data', resolve);
      holder.once('error', reject);
      holder.once('close', () => reject(new Error(`cannot lock ${file}`)));
    });
  } finally {
    clearTimeout(timer);
  }
  try {
    return await work();
  } finally {
    const closed = new Promise((resolve) => holder.once('close', resolve));
    holder.stdin.end();
    await closed;
  }
}
