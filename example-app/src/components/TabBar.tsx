/** One entry of the tab bar. */
import type { TabTriggerSlotProps } from 'expo-router/ui';
import { forwardRef } from 'react';
import { Pressable, StyleSheet, View } from 'react-native';
import { useTheme } from '../context/ThemeContext';
import { radius, space, TOUCH } from '../theme/tokens';
import { AppText } from './text';

interface TabEntryProps extends TabTriggerSlotProps {
  title: string;
  symbol: string;
}

export const TabEntry = forwardRef<View, TabEntryProps>(function TabEntry({ title, symbol, isFocused = false, onPress, onLongPress, testID }, ref) {
  const { colours } = useTheme();
  return (
    <Pressable
      ref={ref}
      accessibilityRole="tab"
      accessibilityLabel={title}
      accessibilityState={{ selected: isFocused }}
      testID={testID}
      onPress={onPress}
      onLongPress={onLongPress}
      style={styles.entry}
    >
      <View style={[styles.symbol, isFocused && { backgroundColor: colours.accentSoft }]}>
        <AppText kind="heading" tone={isFocused ? 'accent' : 'muted'} allowFontScaling={false}>
          {symbol}
        </AppText>
      </View>
      <AppText kind="caption" tone={isFocused ? 'accent' : 'muted'} maxFontSizeMultiplier={1.4}>
        {title}
      </AppText>
    </Pressable>
  );
});

const styles = StyleSheet.create({
  entry: { flex: 1, minHeight: TOUCH, alignItems: 'center', gap: 2, paddingVertical: space.xs },
  symbol: { minWidth: 56, height: 28, borderRadius: radius.full, alignItems: 'center', justifyContent: 'center' },
});
