// Runs programs for the scripts: each in a process group of its own, so that nothing it started outlives it.

import { spawn } from 'node:child_process';
import { constants } from 'node:os';
import { root } from './host/hermes.mjs';

const running = new Set();
const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'];
/** The signal that ends us as soon as all children have ended. */
let ending;

/**
 * Runs a program in the repository's folder; its output goes where ours goes, and to `onOutput` if there is one (with `quiet`
 * only there). Answers its exit code, 1 if it could not be started (and says why) or was ended by a signal. A signal sent to us goes to the
 * children, and when they have ended we end as well.
 * @param {string} command
 * @param {string[]} args
 * @param {{ env?: NodeJS.ProcessEnv, timeoutMs?: number, onOutput?: (text: string) => void, quiet?: boolean, toStderr?: boolean }} options
 * @returns {Promise<number>}
 */
export function run(command, args, { env = process.env, timeoutMs, onOutput, quiet = false, toStderr = false } = {}) {
  return new Promise((resolve) => {
    const stdio = onOutput ? ['ignore', 'pipe', 'pipe'] : ['ignore', toStderr ? 2 : 1, 2];
    const child = spawn(command, args, { cwd: root, env, detached: true, stdio });
    if (running.size === 0) listen();
    running.add(child);
    const timer =
      timeoutMs &&
      setTimeout(() => {
        process.stderr.write(`${command} is stopped: it took longer than ${timeoutMs / 1000} s\n`);
        end(child, 'SIGKILL');
      }, timeoutMs);
    const done = (code) => {
      clearTimeout(timer);
      running.delete(child);
      if (running.size === 0) stopListening();
      if (running.size === 0 && ending) process.exit(128 + constants.signals[ending]);
      resolve(code);
    };
    for (const [from, to] of [[child.stdout, process.stdout], [child.stderr, process.stderr]]) {
      from?.setEncoding('utf8').on('data', (text) => {
        if (!quiet) to.write(text);
        onOutput(text);
      });
    }
    child.on('error', (error) => {
      process.stderr.write(`${command}: ${error.message}\n`);
      done(1);
    });
    child.on('close', (code) => done(code ?? 1));
  });
}

function listen() {
  for (const signal of SIGNALS) process.on(signal, forward);
  process.on('exit', endAll);
}

function stopListening() {
  for (const signal of SIGNALS) process.off(signal, forward);
  process.off('exit', endAll);
}

function forward(signal) {
  ending = signal;
  for (const child of running) end(child, signal);
}

function endAll() {
  for (const child of running) end(child, 'SIGKILL');
}

function end(child, signal) {
  try {
    process.kill(-child.pid, signal);
  } catch {
    // It has ended already.
  }
}
