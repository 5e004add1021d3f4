/** The status in a word, with a dot of its colour. Always as wide as its longest word would be tall: nothing jumps. */
import { type SyncStatusName, useSyncState } from '@omnii/sync';
import { StyleSheet, View } from 'react-native';
import { useTheme } from '../context/ThemeContext';
import type { Palette } from '../theme/tokens';
import { radius, space } from '../theme/tokens';
import { AppText } from './text';

export const STATUS_WORDS: Record<SyncStatusName, string> = {
  offline: 'Offline',
  connecting: 'Connecting',
  syncing: 'Syncing',
  synced: 'Synced',
  error: 'Error',
};

export const STATUS_COLOURS: Record<SyncStatusName, keyof Palette> = {
  offline: 'muted',
  connecting: 'warning',
  syncing: 'accent',
  synced: 'success',
  error: 'danger',
};

export function ConnectionStatus() {
  const { status, isSupported } = useSyncState();
  const { colours } = useTheme();
  const word = isSupported ? STATUS_WORDS[status] : 'Not available';
  return (
    <View
      accessible
      accessibilityLabel={`Sync status: ${word}`}
      accessibilityLiveRegion="polite"
      testID="connection-status"
      style={[styles.pill, { backgroundColor: colours.sunken }]}
    >
      <View style={[styles.dot, { backgroundColor: colours[STATUS_COLOURS[status]] }]} />
      <AppText kind="caption">{word}</AppText>
    </View>
  );
}

const styles = StyleSheet.create({
  pill: {
    flexDirection: 'row',
    alignItems: 'center',
    gap: space.s,
    minWidth: 112,
    minHeight: 28,
    paddingHorizontal: space.m,
    borderRadius: radius.full,
  },
  dot: { width: 8, height: 8, borderRadius: 4 },
});
