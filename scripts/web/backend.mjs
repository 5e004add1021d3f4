// The reference backend as a child process, for scripts under Node.

import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { serverBinary } from '../cargo.mjs';

const START_MS = 20_000;
const STOP_MS = 5000;

/**
 * Starts it on a free port, with an empty database in memory.
 * @param {string[]} [args]
 * @returns {Promise<{ url: string, stop: () => Promise<void> }>}
 */
export async function startBackend(args = []) {
  const child = spawn(serverBinary(), ['--port', '0', ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  let log = '';
  child.stderr.setEncoding('utf8').on('data', (text) => (log += text));
  const exited = new Promise((resolve) => child.once('exit', resolve));
  // Nothing that was started outlives us.
  const kill = () => child.kill('SIGKILL');
  process.once('exit', kill);
  const lines = createInterface({ input: child.stdout });
  const first = await new Promise((resolve, reject) => {
    const fail = () => reject(new Error(`the backend did not start:\n${log}`));
    lines.once('line', resolve);
    child.once('error', reject).once('exit', fail);
    setTimeout(fail, START_MS).unref();
  });
  return {
    url: JSON.parse(first).url,
    stop: async () => {
      child.kill('SIGTERM');
      const timer = setTimeout(kill, STOP_MS);
      await exited;
      clearTimeout(timer);
      process.off('exit', kill);
    },
  };
}
