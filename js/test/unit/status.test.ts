import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SyncError } from '../../errors';
import { closedStatus, offlineStatus, parseStatus } from '../../status';
import { idleStatus } from '../fakes/native';

test('times become dates, the error a SyncError, and the snapshot is frozen', () => {
  const status = parseStatus(
    JSON.stringify({
      ...idleStatus,
      status: 'error',
      pendingChanges: 2,
      lastSyncedAt: 1_000,
      error: { code: 'CursorStalled', message: 'table t', retryable: false },
    })
  );
  assert.deepEqual(status.lastSyncedAt, new Date(1_000));
  assert.equal(status.nextRetryAt, null);
  assert.ok(status.error instanceof SyncError);
  assert.equal(status.error.code, 'CursorStalled');
  assert.ok(Object.isFrozen(status));
});

test('the last word of a closed database keeps what is pending', () => {
  const last = parseStatus(
    JSON.stringify({ ...idleStatus, status: 'syncing', connected: true, uploading: true, pendingChanges: 3, hasSynced: true })
  );
  const { status, connected, uploading, pendingChanges, hasSynced } = closedStatus(last);
  assert.deepEqual([status, connected, uploading, pendingChanges, hasSynced], ['offline', false, false, 3, true]);
});

test('what an older engine does not say has a default; the sweep and refused rows are kept when closed', () => {
  const before = parseStatus(JSON.stringify({ ...idleStatus, lastReconciledAt: undefined, refusedRows: undefined }));
  assert.deepEqual([before.lastReconciledAt, before.refusedRows], [null, 0]);
  const after = closedStatus(parseStatus(JSON.stringify({ ...idleStatus, lastReconciledAt: 7, refusedRows: 2 })));
  assert.deepEqual([after.lastReconciledAt, after.refusedRows], [new Date(7), 2]);
});

test('each direction has its error, the download its progress; the methods know nothing but the fields', () => {
  const json = JSON.stringify({
    ...idleStatus,
    connected: true,
    downloading: true,
    lastSyncedAt: 1_000,
    uploadError: { code: 'Rejected', message: 'no', retryable: false },
    downloadProgress: { downloaded: 500, total: 2_000 },
    syncFrequency: 'metered',
  });
  const status = parseStatus(json);
  assert.ok(status.uploadError instanceof SyncError);
  assert.equal(status.downloadError, undefined);
  assert.deepEqual(status.downloadProgress, { downloadedOperations: 500, totalOperations: 2_000, downloadedFraction: 0.25 });
  assert.equal(status.syncFrequency, 'metered');
  assert.deepEqual(status.dataFlowStatus, { downloading: true, uploading: false, uploadError: status.uploadError });
  assert.deepEqual(status.dataFlow, status.dataFlowStatus);
  assert.ok(status.isEqual(parseStatus(json)));
  assert.ok(!status.isEqual(offlineStatus));
  assert.match(status.getMessage(), /connected: true.*lastSyncedAt: 1970-01-01T00:00:01.000Z.*uploadError: no/);
  const parsed = JSON.parse(JSON.stringify(status)) as Record<string, unknown>;
  assert.deepEqual(parsed['uploadError'], { code: 'Rejected', message: 'no', retryable: false });
  assert.equal('getMessage' in parsed, false);
  assert.ok(Object.isFrozen(status) && !Object.keys(status).includes('getMessage'));
});

test('an older engine says nothing of it; a closed database has no error and no progress', () => {
  const before = parseStatus(JSON.stringify(idleStatus));
  assert.deepEqual([before.uploadError, before.downloadProgress, before.syncFrequency], [undefined, null, 'active']);
  const after = closedStatus(
    parseStatus(JSON.stringify({ ...idleStatus, downloadProgress: { downloaded: 0, total: 0 }, syncFrequency: 'idle' }))
  );
  assert.deepEqual([after.downloadProgress, after.syncFrequency], [null, 'active']);
  assert.equal(after.getMessage().startsWith('SyncStatus<status: offline'), true);
});
