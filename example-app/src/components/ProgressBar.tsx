/** How far a download is. It keeps its room when there is none. */
import { StyleSheet, View } from 'react-native';
import { useTheme } from '../context/ThemeContext';
import { radius } from '../theme/tokens';

export function ProgressBar({ fraction, label, testID }: { fraction: number; label: string; testID?: string }) {
  const { colours } = useTheme();
  const percent = Math.round(Math.max(0, Math.min(1, fraction)) * 100);
  return (
    <View
      testID={testID}
      accessible
      accessibilityRole="progressbar"
      accessibilityLabel={label}
      accessibilityValue={{ min: 0, max: 100, now: percent }}
      style={[styles.track, { backgroundColor: colours.sunken }]}
    >
      <View style={[styles.fill, { width: `${percent}%`, backgroundColor: colours.accent }]} />
    </View>
  );
}

const styles = StyleSheet.create({
  track: { height: 8, borderRadius: radius.full, overflow: 'hidden' },
  fill: { height: 8, borderRadius: radius.full },
});
