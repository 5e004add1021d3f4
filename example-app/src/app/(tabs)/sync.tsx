import { SyncError, useDatabase, useStatus, useSyncState } from '@omnii/sync';
import { useState } from 'react';
import { StyleSheet, View } from 'react-native';
import { Button, ConfirmButton } from '../../components/Button';
import { ConnectionStatus } from '../../components/ConnectionStatus';
import { Card, Fact, Notice, Page } from '../../components/layout';
import { ParkedChanges } from '../../components/ParkedChanges';
import { ProgressBar } from '../../components/ProgressBar';
import { RoundsChart } from '../../components/RoundsChart';
import { AppText } from '../../components/text';
import { UnsupportedNotice } from '../../components/UnsupportedNotice';
import { relativeTime } from '../../lib/dates';
import { useRounds } from '../../lib/sync/rounds';
import { useNow } from '../../lib/useNow';
import { space } from '../../theme/tokens';

/** Where syncing stands, what waits, what was refused, and the controls. */
export default function SyncScreen() {
  const { isSupported, pendingChanges, parkedChanges, lastSyncedAt, isConnected, error, triggerSync, disconnect, clearAndReconnect } = useSyncState();
  const { nextRetryAt, downloadProgress, syncFrequency } = useStatus();
  const rounds = useRounds();
  const now = useNow(1000);
  const db = useDatabase();
  const [failure, setFailure] = useState<string | null>(null);
  // The status cannot say it: offline is also who has no network.
  const [isStopped, setStopped] = useState(false);
  const stop = async (): Promise<void> => {
    await disconnect();
    setStopped(true);
  };
  const start = async (): Promise<void> => {
    await db?.connect();
    setStopped(false);
  };
  const startOver = async (): Promise<void> => {
    await clearAndReconnect();
    setStopped(false);
  };
  const act = (work: () => Promise<unknown>): void => {
    setFailure(null);
    work().catch((reason: unknown) => {
      // Whoever presses another button has cancelled this one.
      if (reason instanceof SyncError && reason.code === 'Disconnected') return;
      setFailure(reason instanceof Error ? reason.message : String(reason));
    });
  };
  const whereThingsAre = !isConnected
    ? 'Your work is saved on this device.'
    : parkedChanges > 0
      ? 'All is synced but what the server refused.'
      : 'Everything is where it belongs.';
  const problem = failure ?? error?.message ?? null;

  return (
    <Page title="Sync" trailing={<ConnectionStatus />} scrolls>
      {!isSupported && <UnsupportedNotice />}
      <Card>
        <View style={styles.progress}>
          {downloadProgress ? (
            <>
              <ProgressBar fraction={downloadProgress.downloadedFraction} label="Download" testID="sync-progress" />
              <AppText kind="small" tone="muted">
                {downloadProgress.downloadedOperations.toLocaleString()} of about {downloadProgress.totalOperations.toLocaleString()} rows
              </AppText>
            </>
          ) : (
            <AppText kind="small" tone="muted">
              {whereThingsAre}
            </AppText>
          )}
        </View>
        <Fact label="Waiting to upload" value={String(pendingChanges)} testID="sync-pending-count" />
        <Fact label="Refused" value={String(parkedChanges)} testID="sync-parked-count" />
        <Fact label="Last synced" value={lastSyncedAt ? relativeTime(lastSyncedAt, now) : 'never'} testID="sync-last-synced" />
        <Fact label="Next attempt" value={nextRetryAt ? relativeTime(nextRetryAt, now) : '–'} testID="sync-next-retry" />
        <Fact label="Pace" value={syncFrequency} />
      </Card>
      {problem !== null && <Notice tone="danger" title="The last attempt failed" text={problem} testID="sync-error" />}
      <ParkedChanges />
      <Card title="Rounds">
        <RoundsChart rounds={rounds} />
      </Card>
      <Card title="Controls">
        <Button title="Sync now" kind="primary" testID="sync-trigger" disabled={!isSupported} onPress={() => act(triggerSync)} />
        {isStopped ? (
          <Button title="Start syncing" testID="sync-connect" onPress={() => act(start)} />
        ) : (
          <Button title="Stop syncing" testID="sync-disconnect" disabled={!isSupported} onPress={() => act(stop)} />
        )}
        <ConfirmButton
          title="Download everything again"
          testID="sync-clear"
          disabled={!isSupported}
          question="Rows are fetched anew. Changes that wait to be uploaded are kept."
          confirmTitle="Download again"
          onPress={() => act(startOver)}
        />
      </Card>
    </Page>
  );
}

const styles = StyleSheet.create({
  // As tall with a bar as without one.
  progress: { minHeight: 40, justifyContent: 'center', gap: space.s },
});
