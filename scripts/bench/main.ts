// One run of our engine in Hermes, against a server that is running: first sync, timer lateness meanwhile, rounds with 100
// changed rows, 1,000 local write transactions, draining them, queries and live queries (queries.ts). Prints one JSON line with the field names of the incumbent's benchmark client.
//
// Arguments: one JSON object, see `Task`.

import { getConnector, openDatabase } from '@omnii/sync';
import { schema } from '../contract';
import { measureQueries } from './queries';

interface Task {
  /** …/api/powersync */
  endpoint: string;
  token: string;
  userId: string;
  /** Rows the server has. */
  rows: number;
  /** Whether the server keeps uploads, so that draining includes read-back. */
  storesUploads: boolean;
  /** The incumbent's server: where rows are changed and requests counted. */
  admin?: string;
  variant: string;
  size: string;
  sync?: Record<string, number>;
}

const task = JSON.parse(process.argv[2] ?? '{}') as Task;
const WRITES = 1000;
const TIMER_MS = 10;

async function ask<T>(path: string, method = 'GET'): Promise<T> {
  return (await (await fetch(`${task.admin ?? ''}/${path}`, { method })).json()) as T;
}

const uploads = async (): Promise<number> => (await ask<{ upload_requests: number }>('stats')).upload_requests;

const round = (ms: number): number => Math.round(ms * 10) / 10;

/** Measures how late a 10 ms interval fires while `work` runs. */
async function lateness(work: () => Promise<void>): Promise<{ worst: number; ticks: number }> {
  let last = performance.now();
  let worst = 0;
  let ticks = 0;
  const timer = setInterval(() => {
    const now = performance.now();
    worst = Math.max(worst, now - last - TIMER_MS);
    last = now;
    ticks += 1;
  }, TIMER_MS);
  try {
    await work();
    worst = Math.max(worst, performance.now() - last - TIMER_MS);
  } finally {
    clearInterval(timer);
  }
  return { worst: round(worst), ticks };
}

async function main(): Promise<void> {
  const directory = __host.makeTempDirectory('omnii-bench-');
  const out: Record<string, unknown> = { variant: task.variant, size: task.size };
  try {
    const idle = await lateness(() => new Promise((resolve) => setTimeout(resolve, 500)));
    out['timer_late_idle_ms'] = idle.worst;

    let started = performance.now();
    const db = await openDatabase({
      schema,
      userId: task.userId,
      directory,
      filename: 'bench.db',
      connector: { fetchCredentials: () => Promise.resolve({ endpoint: task.endpoint, token: task.token }) },
      sync: { pollIntervalMs: 3_600_000, uploadThrottleMs: 3_600_000, ...task.sync },
    });
    out['open_ms'] = round(performance.now() - started);
    out['rss_open_mb'] = Math.round(__host.system().rssBytes / 2 ** 20);

    let events = 0;
    const unsubscribe = db.registerListener({ tablesChanged: () => void (events += 1) });
    started = performance.now();
    const late = await lateness(() => db.triggerSync());
    out['initial_ms'] = round(performance.now() - started);
    out['timer_late_ms'] = late.worst;
    out['timer_ticks'] = late.ticks;
    out['change_events'] = events;
    unsubscribe();
    out['peak_rss_mb'] = Math.round(__host.system().peakRssBytes / 2 ** 20);

    let rows = 0;
    for (const table of ['sync_entities', 'sync_events', 'sync_relationships']) {
      rows += (await db.get<{ n: number }>(`SELECT count(*) AS n FROM ${table}`)).n;
    }
    if (rows !== task.rows) throw new Error(`${String(rows)} rows arrived, ${String(task.rows)} expected`);
    out['rows_per_s'] = Math.round(rows / (Number(out['initial_ms']) / 1000));
    out['echo_queue'] = db.currentStatus.pendingChanges;
    out['db_mb'] = round(__host.fileSize(`${directory}/bench.db`) / 2 ** 20);

    started = performance.now();
    await db.triggerSync();
    out['idle_round_ms'] = round(performance.now() - started);

    if (task.admin !== undefined) {
      const times: number[] = [];
      for (let i = 0; i < 6; i += 1) {
        const { newest } = await db.get<{ newest: string }>('SELECT max(updated_at) AS newest FROM sync_relationships');
        await ask(`delta?ds=${task.size}&n=100`, 'POST');
        started = performance.now();
        await db.triggerSync();
        if (i > 0) times.push(performance.now() - started);
        const changed = await db.get<{ n: number }>('SELECT count(*) AS n FROM sync_relationships WHERE updated_at > ?', [newest]);
        if (changed.n !== 10) throw new Error(`${String(changed.n)} changed rows of 10 arrived`);
      }
      out['incremental_ms'] = round(times.sort((a, b) => a - b)[2] ?? NaN);
    }

    const now = new Date().toISOString();
    const sql =
      'INSERT INTO sync_entities (id, user_id, entity_type, name, properties, created_at, updated_at) VALUES (?, ?, ?, ?, ?, ?, ?)';
    const ids = Array.from({ length: WRITES }, () => crypto.randomUUID());
    started = performance.now();
    for (const [i, id] of ids.entries()) {
      await db.execute(sql, [id, task.userId, 'task', `write ${String(i)}`, JSON.stringify({ i, note: 'x'.repeat(150) }), now, now]);
    }
    out['write_1000tx_ms'] = round(performance.now() - started);
    const pending = (): number => db.currentStatus.pendingChanges;
    if (pending() !== WRITES) throw new Error(`${String(pending())} pending`);

    const before = task.admin === undefined ? 0 : await uploads();
    started = performance.now();
    if (task.storesUploads) await db.triggerSync();
    else await getConnector().uploadData();
    out['drain_ms'] = round(performance.now() - started);
    if (task.admin !== undefined) out['drain_requests'] = (await uploads()) - before;
    if (task.storesUploads && pending() !== 0) throw new Error('not drained');
    Object.assign(out, await measureQueries(db, lateness));
    await db.close();
    console.log(JSON.stringify(out));
  } finally {
    __host.remove(directory);
  }
}

void main();
