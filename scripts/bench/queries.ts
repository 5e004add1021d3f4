// The reading half of the benchmark: lists, lookups, live queries. Same queries, same samples and same field names as the
// incumbent's benchmark client, so that the numbers stand beside its own.

import type { Database } from '@omnii/sync';

const LIST = 'SELECT * FROM sync_entities WHERE entity_type = ? ORDER BY updated_at DESC LIMIT 1000';
const LIST_50 = 'SELECT * FROM sync_entities WHERE entity_type = ? ORDER BY updated_at DESC LIMIT 50';
const BY_ID = 'SELECT * FROM sync_entities WHERE id = ?';
const UPDATE = 'UPDATE sync_entities SET name = ?, updated_at = ? WHERE id = ?';
const TYPES = ['task', 'email', 'contact', 'concept', 'entity'];

const LOOKUPS = 10_000;
/** Live queries open at once, and commits while they are. */
const CROWD = 100;
const BURST = 1_000;
/** Later than all other rows, so that what is written is at the top of the lists. */
const NEWEST = Date.UTC(2030, 0, 1);

type Entity = { id: string; name: string };

export const round = (ms: number): number => Math.round(ms * 1000) / 1000;
const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

export function percentile(numbers: readonly number[], share: number): number {
  const sorted = [...numbers].sort((a, b) => a - b);
  return round(sorted[Math.min(sorted.length - 1, Math.ceil(sorted.length * share) - 1)] ?? NaN);
}

const median = (numbers: readonly number[]): number => {
  const sorted = [...numbers].sort((a, b) => a - b);
  return round(sorted[sorted.length >> 1] ?? NaN);
};

async function measureList(db: Database): Promise<Record<string, unknown>> {
  const times: number[] = [];
  let rows = 0;
  for (let i = 0; i < 25; i += 1) {
    const started = performance.now();
    rows = (await db.getAll(LIST, [TYPES[i % TYPES.length] ?? ''])).length;
    if (i >= 5) times.push(performance.now() - started);
  }
  return { list_rows: rows, list_ms: median(times) };
}

async function measureLookups(db: Database): Promise<Record<string, unknown>> {
  const ids = (await db.getAll<Entity>('SELECT id FROM sync_entities')).map((row) => row.id);
  const wanted = Array.from({ length: LOOKUPS }, () => ids[Math.floor(Math.random() * ids.length)] ?? '');
  for (const id of wanted.slice(0, 500)) await db.getOptional(BY_ID, [id]);
  let started = performance.now();
  for (const id of wanted) if ((await db.getOptional(BY_ID, [id])) === null) throw new Error('a row is missing');
  const promised = performance.now() - started;
  for (const id of wanted.slice(0, 500)) db.getOptionalSync(BY_ID, [id]);
  started = performance.now();
  for (const id of wanted) if (db.getOptionalSync(BY_ID, [id]) === null) throw new Error('a row is missing');
  const direct = performance.now() - started;
  return { point_10k_ms: round(promised), point_10k_sync_ms: round(direct) };
}

/** From a committed write to the callback that carries it, and from the call of the write. */
async function measureWatch(db: Database, sql: string, parameter: string, target: string, throttleMs: number) {
  let sequence = 0;
  let wanted: string | null = null;
  let hit: (at: number) => void = () => undefined;
  let first: () => void = () => undefined;
  const ready = new Promise<void>((resolve) => (first = resolve));
  const stop = new AbortController();
  db.watch(
    sql,
    [parameter],
    {
      onResult: (result) => {
        if (wanted === null) first();
        else if (result.array.some((row) => (row as Entity).name === wanted)) hit(performance.now());
      },
      onError: (error) => {
        throw error;
      },
    },
    { signal: stop.signal, throttleMs }
  );
  await ready;
  await sleep(100);
  const fromCommit: number[] = [];
  const fromIssue: number[] = [];
  for (let i = 0; i < 65; i += 1) {
    sequence += 1;
    const name = `watch ${String(throttleMs)} ${String(sequence)}`;
    const heard = new Promise<number>((resolve, reject) => {
      hit = resolve;
      setTimeout(() => reject(new Error('the live query did not answer')), 5_000);
    });
    wanted = name;
    const issued = performance.now();
    await db.execute(UPDATE, [name, new Date(NEWEST + sequence * 1000).toISOString(), target]);
    const committed = performance.now();
    const at = await heard;
    if (i >= 5) {
      fromCommit.push(at - committed);
      fromIssue.push(at - issued);
    }
    await sleep(10 + (i % 7) * 5);
  }
  stop.abort();
  await sleep(100);
  return {
    commit_med: median(fromCommit),
    commit_p95: percentile(fromCommit, 0.95),
    issue_med: median(fromIssue),
    issue_p95: percentile(fromIssue, 0.95),
  };
}

/** Many live queries, half of them lookups and half lists of rows that change, while the app writes as fast as it can. */
async function measureCrowd(db: Database, lateness: (work: () => Promise<void>) => Promise<{ worst: number }>) {
  const ids = (await db.getAll<Entity>('SELECT id FROM sync_entities ORDER BY id LIMIT ?', [BURST])).map((row) => row.id);
  const stop = new AbortController();
  let results = 0;
  for (let i = 0; i < CROWD; i += 1) {
    const sql = i % 2 === 0 ? BY_ID : 'SELECT * FROM sync_entities WHERE id >= ? ORDER BY id LIMIT 50';
    db.watch(sql, [ids[i * 10] ?? ''], { onResult: () => void (results += 1) }, { signal: stop.signal, throttleMs: 30 });
  }
  await sleep(500);
  const atFirst = results;
  const started = performance.now();
  const late = await lateness(async () => {
    for (const [i, id] of ids.entries()) {
      await db.execute(UPDATE, [`burst ${String(i)}`, new Date(NEWEST + i * 1000).toISOString(), id]);
    }
  });
  const took = performance.now() - started;
  await sleep(200);
  stop.abort();
  return { crowd_first: atFirst, crowd_results: results - atFirst, crowd_late_ms: late.worst, crowd_1000tx_ms: round(took) };
}

export async function measureQueries(
  db: Database,
  lateness: (work: () => Promise<void>) => Promise<{ worst: number }>
): Promise<Record<string, unknown>> {
  const target = (await db.getAll<Entity>(LIST, ['task']))[10]?.id ?? '';
  return {
    ...(await measureList(db)),
    ...(await measureLookups(db)),
    watch_list50_ms: await measureWatch(db, LIST_50, 'task', target, 0),
    watch_list50_def30_ms: await measureWatch(db, LIST_50, 'task', target, 30),
    watch_id_ms: await measureWatch(db, BY_ID, target, target, 0),
    watch_id_def30_ms: await measureWatch(db, BY_ID, target, target, 30),
    ...(await measureCrowd(db, lateness)),
  };
}
