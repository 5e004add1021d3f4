/** The changes that the backend refused: what each was, why, and what can be done about it. */
import { type ParkedChange, useDatabase, useSyncState } from '@omnii/sync';
import { useCallback, useEffect, useState } from 'react';
import { StyleSheet, View } from 'react-native';
import { useTheme } from '../context/ThemeContext';
import { space } from '../theme/tokens';
import { Button, ConfirmButton } from './Button';
import { Card, Notice } from './layout';
import { AppText } from './text';

/** Follows the database: read again whenever their number changes. */
function useParkedChanges(): { changes: ParkedChange[]; error: string | null; reload: () => void } {
  const db = useDatabase();
  const { parkedChanges } = useSyncState();
  const [changes, setChanges] = useState<ParkedChange[]>([]);
  const [error, setError] = useState<string | null>(null);
  const [reloads, setReloads] = useState(0);
  useEffect(() => {
    let isCurrent = true;
    const read = db ? db.getParkedChanges() : Promise.resolve([]);
    read.then(
      (found) => {
        if (!isCurrent) return;
        setChanges(found);
        setError(null);
      },
      (reason: unknown) => isCurrent && setError(reason instanceof Error ? reason.message : String(reason)),
    );
    return () => {
      isCurrent = false;
    };
  }, [db, parkedChanges, reloads]);
  return { changes, error, reload: useCallback(() => setReloads((count) => count + 1), []) };
}

function nameOf({ columns, rowId, table }: ParkedChange): string {
  const name = columns?.['name'] ?? columns?.['summary'];
  return typeof name === 'string' ? name : `${table} ${rowId.slice(0, 8)}`;
}

const VERBS = { insert: 'New', update: 'Changed', delete: 'Deleted' } as const;

export function ParkedChanges() {
  const db = useDatabase();
  const { colours } = useTheme();
  const { changes, error, reload } = useParkedChanges();
  const [failure, setFailure] = useState<string | null>(null);
  const act = (work: Promise<unknown> | undefined): void => {
    setFailure(null);
    work?.then(reload, (reason: unknown) => setFailure(reason instanceof Error ? reason.message : String(reason)));
  };
  const problem = failure ?? error;
  if (changes.length === 0 && problem === null) return null;
  return (
    <Card title="Refused by the server">
      <AppText kind="small" tone="muted">
        These changes are kept on this device. Mend them and try again, or discard them: then the server&apos;s version returns.
      </AppText>
      {problem !== null && <Notice tone="danger" title="That did not work" text={problem} />}
      {changes.map((change) => (
        <View key={change.id} testID={`parked-${change.id}`} style={[styles.change, { borderTopColor: colours.border }]}>
          <AppText style={styles.name}>
            {VERBS[change.operation]}: {nameOf(change)}
          </AppText>
          <AppText kind="small" tone="danger">
            {change.reason}
          </AppText>
          <View style={styles.actions}>
            <Button
              title="Try again"
              accessibilityLabel={`Try again: ${nameOf(change)}`}
              testID={`parked-retry-${change.id}`}
              style={styles.action}
              onPress={() => act(db?.retryParked([change.id]))}
            />
            <Button
              title="Discard"
              kind="danger"
              accessibilityLabel={`Discard: ${nameOf(change)}`}
              testID={`parked-discard-${change.id}`}
              style={styles.action}
              onPress={() => act(db?.discardParked([change.id]))}
            />
          </View>
        </View>
      ))}
      {changes.length > 1 && (
        <ConfirmButton
          title="Discard all"
          kind="danger"
          question={`Discard all ${changes.length} changes?`}
          confirmTitle="Discard"
          testID="parked-discard-all"
          onPress={() => act(db?.discardParked())}
        />
      )}
    </Card>
  );
}

const styles = StyleSheet.create({
  change: { gap: space.s, borderTopWidth: StyleSheet.hairlineWidth, paddingTop: space.m },
  name: { fontWeight: '600' },
  actions: { flexDirection: 'row', gap: space.s },
  action: { flex: 1 },
});
