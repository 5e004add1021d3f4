/** The last rounds as bars: height for the time each took, colour for how it ended. Plain views, no chart library. */
import { StyleSheet, View } from 'react-native';
import { useTheme } from '../context/ThemeContext';
import type { Round } from '../lib/sync/rounds';
import { space } from '../theme/tokens';
import { AppText } from './text';

const HEIGHT = 72;
const LEAST = 3;
const SLOTS = 24;

const seconds = (ms: number): string => (ms < 1000 ? `${ms} ms` : `${(ms / 1000).toFixed(1)} s`);

export function RoundsChart({ rounds }: { rounds: readonly Round[] }) {
  const { colours } = useTheme();
  const longest = Math.max(1, ...rounds.map(({ durationMs }) => durationMs));
  const last = rounds.at(-1);
  const summary = last
    ? `Last round: ${seconds(last.durationMs)}${last.rows > 0 ? `, ${last.rows} ${last.rows === 1 ? 'row' : 'rows'}` : ''}${last.failed ? ', failed' : ''}`
    : 'No round yet';
  return (
    <View accessible accessibilityRole="image" accessibilityLabel={`${rounds.length} rounds. ${summary}`} testID="sync-chart" style={styles.chart}>
      <View style={[styles.bars, { borderBottomColor: colours.border }]}>
        {Array.from({ length: SLOTS }, (_, slot) => rounds[rounds.length - SLOTS + slot]).map((round, slot) => (
          <View
            key={round?.id ?? `empty-${slot}`}
            style={[
              styles.bar,
              round && {
                height: Math.max(LEAST, (round.durationMs / longest) * HEIGHT),
                backgroundColor: round.failed ? colours.danger : round.rows > 0 ? colours.accent : colours.border,
              },
            ]}
          />
        ))}
      </View>
      <AppText kind="small" tone="muted">
        {summary}
      </AppText>
    </View>
  );
}

const styles = StyleSheet.create({
  chart: { gap: space.s },
  bars: { height: HEIGHT + 1, flexDirection: 'row', alignItems: 'flex-end', gap: 3, borderBottomWidth: 1 },
  bar: { flex: 1, borderTopLeftRadius: 2, borderTopRightRadius: 2 },
});
