import { createRoundRecorder } from '../src/lib/sync/rounds';

const idle = { uploading: false, downloading: false, pendingChanges: 0, downloadProgress: null, error: null };

test('a round goes from the first transfer to the last, and counts rows both ways', () => {
  const recorder = createRoundRecorder();
  recorder.changed(9);
  expect(recorder.status({ ...idle, pendingChanges: 3 }, 0)).toBeNull();
  expect(recorder.status({ ...idle, uploading: true, pendingChanges: 3 }, 1000)).toBeNull();
  // Written while the upload runs: two of four are still waiting at the end.
  expect(recorder.status({ ...idle, uploading: true, pendingChanges: 4 }, 1100)).toBeNull();
  expect(recorder.status({ ...idle, downloading: true, pendingChanges: 2 }, 1200)).toBeNull();
  recorder.changed(5);
  expect(recorder.status({ ...idle, pendingChanges: 2 }, 1500)).toEqual({ id: 1, endedAt: 1500, durationMs: 500, rows: 7, failed: false });
});

test('of a long download the progress is believed: commits that are too large do not tell their rows', () => {
  const recorder = createRoundRecorder();
  recorder.status({ ...idle, downloading: true, downloadProgress: { downloadedOperations: 4000, totalOperations: 5000, downloadedFraction: 0.8 } }, 0);
  recorder.changed(10);
  expect(recorder.status(idle, 2000)?.rows).toBe(4000);
});
