import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SyncError } from '../../errors';
import { closedStatus, parseStatus } from '../../status';
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
