/** The type of an entity, as a letter in its colour. Decoration: the type is also written beside it. */
import { StyleSheet, Text, View } from 'react-native';
import { useTheme } from '../context/ThemeContext';
import type { EntityType } from '../lib/sync/entities';
import { radius, typeColours } from '../theme/tokens';

const FALLBACK = { light: ['#ECEEF2', '#14171F'], dark: ['#222834', '#F1F3F7'] } as const;

export function TypeBadge({ type, size = 40 }: { type: EntityType; size?: number }) {
  const { scheme } = useTheme();
  const [background, letter] = (typeColours[type] ?? FALLBACK)[scheme];
  return (
    <View
      accessibilityElementsHidden
      importantForAccessibility="no-hide-descendants"
      style={[styles.badge, { width: size, height: size, backgroundColor: background }]}
    >
      <Text allowFontScaling={false} style={[styles.letter, { color: letter, fontSize: size * 0.42 }]}>
        {type.charAt(0).toUpperCase()}
      </Text>
    </View>
  );
}

const styles = StyleSheet.create({
  badge: { borderRadius: radius.m, alignItems: 'center', justifyContent: 'center' },
  letter: { fontWeight: '700' },
});
