/** One of several choices, of which one is taken. */
import { Pressable, StyleSheet } from 'react-native';
import { useTheme } from '../context/ThemeContext';
import { radius, space } from '../theme/tokens';
import { AppText } from './text';

export function Chip({ title, selected, onPress, testID }: { title: string; selected: boolean; onPress: () => void; testID?: string }) {
  const { colours } = useTheme();
  return (
    <Pressable
      accessibilityRole="radio"
      accessibilityLabel={title}
      accessibilityState={{ selected, checked: selected }}
      testID={testID}
      onPress={onPress}
      hitSlop={{ top: 4, bottom: 4 }}
      style={[
        styles.chip,
        { backgroundColor: selected ? colours.accent : colours.surface, borderColor: selected ? colours.accent : colours.border },
      ]}
    >
      <AppText kind="small" tone={selected ? 'onAccent' : 'text'} style={styles.title}>
        {title}
      </AppText>
    </Pressable>
  );
}

const styles = StyleSheet.create({
  chip: { minHeight: 36, borderRadius: radius.full, borderWidth: 1, paddingHorizontal: space.l, justifyContent: 'center' },
  title: { fontWeight: '600' },
});
