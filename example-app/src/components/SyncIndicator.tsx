/** A dot in the corner of each screen: what syncing does, and how many changes wait. It always takes the same room. */
import { useSyncState } from '@omnii/sync';
import { useRouter } from 'expo-router';
import { Pressable, StyleSheet, View } from 'react-native';
import { useTheme } from '../context/ThemeContext';
import { radius, space, TOUCH } from '../theme/tokens';
import { STATUS_COLOURS, STATUS_WORDS } from './ConnectionStatus';
import { AppText } from './text';

const MOST = 99;

export function SyncIndicator() {
  const { status, pendingChanges, parkedChanges } = useSyncState();
  const { colours } = useTheme();
  const router = useRouter();
  const waiting = pendingChanges === 0 ? '' : pendingChanges > MOST ? `${MOST}+` : String(pendingChanges);
  const label = [
    STATUS_WORDS[status],
    pendingChanges > 0 ? `${pendingChanges} to upload` : null,
    parkedChanges > 0 ? `${parkedChanges} need attention` : null,
  ];
  return (
    <Pressable
      accessibilityRole="button"
      accessibilityLabel={label.filter((part) => part !== null).join(', ')}
      accessibilityHint="Opens the sync screen"
      testID="sync-indicator"
      onPress={() => router.navigate('/sync')}
      style={styles.touch}
    >
      <View style={[styles.badge, waiting !== '' && { backgroundColor: colours.sunken }]}>
        <View style={[styles.dot, { backgroundColor: colours[parkedChanges > 0 ? 'danger' : STATUS_COLOURS[status]] }]} />
        {waiting !== '' && (
          <AppText kind="caption" tone="muted" style={styles.count}>
            {waiting}
          </AppText>
        )}
      </View>
    </Pressable>
  );
}

const styles = StyleSheet.create({
  touch: { minWidth: TOUCH, minHeight: TOUCH, alignItems: 'flex-end', justifyContent: 'center' },
  badge: { width: 56, height: 28, borderRadius: radius.full, flexDirection: 'row', alignItems: 'center', justifyContent: 'flex-end', gap: space.xs, paddingHorizontal: space.s },
  dot: { width: 10, height: 10, borderRadius: 5 },
  count: { flex: 1, textAlign: 'right', fontVariant: ['tabular-nums'] },
});
