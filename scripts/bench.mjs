// `npm run bench`: our engine in Hermes, in one run beside the incumbent and the plain-SQLite floor where they are
// installed. Prints a table of medians and writes build/bench/<time>.json.
//
//   npm run bench -- [--reps 3] [--sizes 10k,100k] [--variants omnii,omnii-same,floor,ps-batch,op-batch]
//
// Variants: `omnii` against rust/server, which keeps uploads, so that draining ends with read-back. `omnii-same` and all
// others against the incumbent benchmark's own server, which only answers uploads: their `drain_ms` ends with the answer.
// Those need the incumbent's benchmark folder: OMNII_BENCH_DIR, or ../shared/bench beside this checkout, with its
// dependencies installed (its README says how; the folder may be a copy).

import { execFile, spawn } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs, promisify } from 'node:util';

const root = resolve(dirname(fileURLToPath(import.meta.url)), '..');
const run = promisify(execFile);
const BENCH_USER = '11111111-2222-4333-8444-555555555555';

const { values } = readArguments({
  options: {
    reps: { type: 'string', default: '3' },
    sizes: { type: 'string', default: '10k,100k' },
    variants: { type: 'string', default: 'omnii,omnii-same,floor,ps-batch,op-batch' },
  },
});
const reps = Number(values.reps);
const sizes = values.sizes.split(',');
if (!Number.isInteger(reps) || reps < 1) fail('--reps must be a whole number of 1 or more');
if (!sizes.every((size) => /^\d+k?$/.test(size))) fail('--sizes must look like 10k,100k');
const rowsOf = (size) => (size.endsWith('k') ? Number(size.slice(0, -1)) * 1000 : Number(size));

await import('./setup.mjs').then((setup) => setup.setup());
const { hostBinary, serverBinary, bundleScript } = await import('./host/run.mjs');
const host = hostBinary();
const server = serverBinary();

const incumbent = resolve(process.env.OMNII_BENCH_DIR ?? join(root, '../shared/bench'));
const installed = existsSync(join(incumbent, 'node_modules/better-sqlite3'));
const variants = values.variants.split(',').filter((variant) => variant === 'omnii' || installed);
if (!installed) {
  console.log(`The incumbent's benchmark is not installed in ${incumbent}; measuring ours alone.`);
  console.log('Set OMNII_BENCH_DIR to a copy of that folder with its dependencies installed to measure both in one run.');
}

const build = join(root, 'build/bench');
mkdirSync(build, { recursive: true });
const bundle = join(build, 'main.js');
process.env.NODE_ENV = 'production';
await bundleScript(join(root, 'scripts/bench/main.ts'), bundle);

/** Starts a server and waits for its first line. */
async function start(command, args, options = {}) {
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'inherit'], ...options });
  const line = await new Promise((settle, reject) => {
    let text = '';
    child.stdout.on('data', (chunk) => {
      text += chunk;
      const end = text.indexOf('\n');
      if (end >= 0) settle(text.slice(0, end));
    });
    child.once('exit', (code) => reject(new Error(`${command} ended with ${code}`)));
    child.once('error', reject);
  });
  return { line, stop: () => new Promise((done) => (child.once('exit', done), child.kill())) };
}

async function ours(task) {
  const { stdout } = await run(host, [bundle, JSON.stringify(task)], { timeout: 600_000, maxBuffer: 1e8 });
  return JSON.parse(stdout.trim().split('\n').at(-1));
}

async function againstReference(size) {
  const backend = await start(server, ['--port', '0', '--seed', String(rowsOf(size))]);
  try {
    const { url, api, demo } = JSON.parse(backend.line);
    const answer = await fetch(`${url}/auth/v1/token?grant_type=password`, {
      method: 'POST',
      body: JSON.stringify({ email: demo.email, password: demo.password }),
    });
    const { access_token: token } = await answer.json();
    return await ours({ endpoint: api, token, userId: demo.userId, rows: rowsOf(size), storesUploads: true, variant: 'omnii', size });
  } finally {
    await backend.stop();
  }
}

const runs = [];
const shared = variants.some((variant) => variant !== 'omnii')
  ? await start(process.execPath, [join(incumbent, 'server.mjs'), '0', sizes.join()])
  : undefined;
const port = shared && /listening (\d+)/.exec(shared.line)?.[1];
try {
  for (const size of sizes) {
    for (let rep = 1; rep <= reps; rep += 1) {
      for (const variant of variants) {
        let result;
        try {
          if (variant === 'omnii') result = await againstReference(size);
          else if (variant === 'omnii-same') {
            const admin = `http://127.0.0.1:${port}/__admin`;
            await fetch(`${admin}/reset`, { method: 'POST' });
            const endpoint = `http://127.0.0.1:${port}/d/${size}/api/powersync`;
            result = await ours({ endpoint, admin, token: 'any', userId: BENCH_USER, rows: rowsOf(size), storesUploads: false, variant, size });
          } else {
            const client = [join(incumbent, 'client.mjs'), variant, size, port, 'watch'];
            const { stdout } = await run(process.execPath, client, { timeout: 900_000, maxBuffer: 1e8, env: { ...process.env, BENCH_TMP: os.tmpdir() } });
            result = JSON.parse(stdout.trim().split('\n').at(-1));
          }
          flattenWatches(result);
        } catch (error) {
          result = { variant, size, error: String(error.stderr || error.message).slice(-1500) };
        }
        runs.push(result);
        console.log(`${size} #${rep} ${variant.padEnd(11)} ${result.error ? `FAILED: ${result.error}` : `first sync ${Math.round(result.initial_ms)} ms`}`);
      }
    }
  }
} finally {
  await shared?.stop();
}

/** The figures of live queries as fields; the floor's has no throttle, the others' with none is the one to compare. */
function flattenWatches(result) {
  for (const query of ['id', 'list50']) {
    const direct = result[`watch_${query}_ms`] ?? result[`watch_${query}_none_ms`] ?? result[`watch_${query}_th0_ms`];
    result[`watch_${query}_commit_ms`] = direct?.commit_med;
    result[`watch_${query}_p95_ms`] = direct?.commit_p95;
    result[`watch_${query}_default_ms`] = result[`watch_${query}_def30_ms`]?.commit_med;
  }
}

const median = (numbers) => {
  const sorted = numbers.filter((n) => typeof n === 'number').sort((a, b) => a - b);
  return sorted.length > 0 ? sorted[sorted.length >> 1] : null;
};
const FIELDS = {
  initial_ms: 'first sync, ms',
  rows_per_s: 'rows/s',
  timer_late_ms: '10 ms timer late at most, ms',
  timer_late_idle_ms: '  the same when idle, ms',
  echo_queue: 'outbox after first sync',
  peak_rss_mb: 'peak RSS, MB',
  rss_open_mb: '  RSS after open, MB',
  incremental_ms: '100 changed rows, ms',
  write_1000tx_ms: '1,000 write transactions, ms',
  drain_ms: 'draining them, ms',
  drain_requests: '  in so many requests',
  list_ms: 'list of 1,000 rows, ms',
  point_10k_ms: '10,000 lookups by id, ms',
  point_10k_sync_ms: '  without a promise, ms',
  watch_id_commit_ms: 'commit to live lookup, ms',
  watch_id_p95_ms: '  95th percentile, ms',
  watch_id_default_ms: '  with the default throttle, ms',
  watch_list50_commit_ms: 'commit to live list of 50, ms',
  watch_list50_p95_ms: '  95th percentile, ms',
  watch_list50_default_ms: '  with the default throttle, ms',
  crowd_late_ms: '100 live, 1,000 commits: late, ms',
  crowd_1000tx_ms: '  the commits, ms',
};
const medians = {};
for (const size of sizes) {
  medians[size] = {};
  for (const variant of variants) {
    const mine = runs.filter((r) => r.size === size && r.variant === variant);
    medians[size][variant] = Object.fromEntries(Object.keys(FIELDS).map((field) => [field, median(mine.map((r) => r[field]))]));
  }
}
const machine = { cpus: os.cpus().length, model: os.cpus()[0]?.model.trim(), memoryGiB: Math.round(os.totalmem() / 2 ** 30), kernel: os.release() };
const version = (path) => JSON.parse(readFileSync(path, 'utf8')).version;
const locked = (crate) => new RegExp(`name = "${crate}"\nversion = "(.+)"`).exec(readFileSync(join(root, 'Cargo.lock'), 'utf8'))?.[1];
const versions = {
  '@omnii/sync': version(join(root, 'package.json')),
  'react-native': version(join(root, 'node_modules/react-native/package.json')),
  'hermes-engine': locked('hermes-engine'),
  'libsqlite3-sys': locked('libsqlite3-sys'),
  rustc: (await run('rustc', ['--version'])).stdout.split(' ')[1],
  node: process.version,
};
if (installed) {
  for (const name of ['@powersync/node', '@powersync/common', 'better-sqlite3', '@op-engineering/op-sqlite']) {
    versions[name] = version(join(incumbent, 'node_modules', name, 'package.json'));
  }
}
console.log(`\n${machine.cpus} x ${machine.model}, ${machine.memoryGiB} GiB; ${Object.entries(versions).map(([n, v]) => `${n} ${v}`).join(', ')}`);
for (const size of sizes) {
  console.log(`\n${size} rows, medians of ${reps}`);
  console.log(''.padEnd(36) + variants.map((v) => v.padStart(12)).join(''));
  for (const [field, label] of Object.entries(FIELDS)) {
    console.log(label.padEnd(36) + variants.map((v) => String(medians[size][v][field] ?? '-').padStart(12)).join(''));
  }
}
const file = join(build, `${new Date().toISOString().replace(/[:.]/g, '-')}.json`);
writeFileSync(file, JSON.stringify({ machine, versions, reps, medians, runs }, null, 1));
console.log(`\n${file}`);
if (runs.some((r) => r.error)) process.exitCode = 1;

// What the package promises (README): a miss is a failure, not a line in a table.
const promise = (kept, text) => {
  if (kept) return;
  console.error(`NOT KEPT: ${text}`);
  process.exitCode = 1;
};
for (const size of sizes) {
  for (const variant of variants.filter((v) => v.startsWith('omnii'))) {
    const mine = medians[size][variant];
    promise(mine.timer_late_ms === null || mine.timer_late_ms <= 50, `${variant} ${size}: the JS thread waited ${mine.timer_late_ms} ms`);
    promise(!mine.echo_queue, `${variant} ${size}: ${mine.echo_queue} changes in the outbox after the first sync`);
    const used = mine.peak_rss_mb - mine.rss_open_mb;
    promise(mine.peak_rss_mb === null || used <= 60, `${variant} ${size}: the first sync took ${used} MB`);
    promise(mine.drain_requests === null || mine.drain_requests <= 3, `${variant} ${size}: draining took ${mine.drain_requests} requests`);
    const floor = medians[size].floor;
    const within = (field, times) => {
      if (!floor || floor[field] === null || mine[field] === null) return;
      promise(mine[field] <= times * floor[field], `${variant} ${size}: ${FIELDS[field]}: ${mine[field]}, the floor ${floor[field]}`);
    };
    if (rowsOf(size) >= 100_000) within('initial_ms', 0.5);
    promise(!(mine.crowd_late_ms > 16), `${variant} ${size}: 100 live queries held the JS thread up for ${mine.crowd_late_ms} ms`);
    promise(!(mine.point_10k_sync_ms > 120), `${variant} ${size}: 10,000 lookups without a promise took ${mine.point_10k_sync_ms} ms`);
    promise(!(mine.point_10k_ms > 450), `${variant} ${size}: 10,000 lookups took ${mine.point_10k_ms} ms`);
    promise(!(mine.watch_id_commit_ms > 1), `${variant} ${size}: a live lookup answered after ${mine.watch_id_commit_ms} ms`);
    within('list_ms', 1);
    within('watch_list50_commit_ms', 1.1);
    within('incremental_ms', 1);
    within('write_1000tx_ms', 1.5);
  }
}

function readArguments(options) {
  try {
    return parseArgs(options);
  } catch (error) {
    return fail(error.message);
  }
}

function fail(message) {
  console.error(`bench: ${message}`);
  process.exit(2);
}
