/** One entity in a list. Rows are of one height, which grows with the system's font, so that a list knows where each is without measuring. */
import { memo } from 'react';
import { Pressable, StyleSheet, View } from 'react-native';
import { useTheme } from '../context/ThemeContext';
import { shortDate } from '../lib/dates';
import { type EntityListItem, toEntityType, TYPE_TITLES } from '../lib/sync/entities';
import { space, type } from '../theme/tokens';
import { AppText } from './text';
import { TypeBadge } from './TypeBadge';

const PADDING = 27;
const TEXTS = type.body.lineHeight + type.small.lineHeight;
/** Larger fonts are cut off at the end of the line as it is; the name stays readable. */
export const MOST_SCALE = 2;

/** In points, where fonts are scaled like that. */
export const rowHeight = (fontScale: number): number => PADDING + Math.ceil(TEXTS * Math.min(MOST_SCALE, Math.max(1, fontScale)));

interface EntityRowProps {
  entity: EntityListItem;
  height: number;
  onOpen: (id: string) => void;
}

/** Rendered again only when its own row has changed: the others stay the same objects. */
export const EntityRow = memo(function EntityRow({ entity, height, onOpen }: EntityRowProps) {
  const { colours } = useTheme();
  const entityType = toEntityType(entity.entity_type);
  const name = entity.name ?? '';
  return (
    <Pressable
      accessibilityRole="button"
      accessibilityLabel={`${name}, ${entityType}`}
      testID={`entity-row-${entity.id}`}
      onPress={() => onOpen(entity.id)}
      style={({ pressed }) => [styles.row, { height, borderBottomColor: colours.border, backgroundColor: pressed ? colours.sunken : colours.surface }]}
    >
      <TypeBadge type={entityType} />
      <View style={styles.texts}>
        <AppText numberOfLines={1} maxFontSizeMultiplier={MOST_SCALE} style={styles.name}>
          {name}
        </AppText>
        <AppText kind="small" tone="muted" numberOfLines={1} maxFontSizeMultiplier={MOST_SCALE}>
          {[TYPE_TITLES[entityType], shortDate(entity.created_at)].filter((part) => part !== '').join(' · ')}
        </AppText>
      </View>
      <AppText tone="muted" accessibilityElementsHidden importantForAccessibility="no">
        ›
      </AppText>
    </Pressable>
  );
});

const styles = StyleSheet.create({
  row: {
    flexDirection: 'row',
    alignItems: 'center',
    gap: space.m,
    paddingHorizontal: space.l,
    borderBottomWidth: StyleSheet.hairlineWidth,
  },
  texts: { flex: 1 },
  name: { fontWeight: '500' },
});
