/** One entity in a list. Rows are of one height, so that a list knows where each is without measuring. */
import { memo } from 'react';
import { Pressable, StyleSheet, View } from 'react-native';
import { useTheme } from '../context/ThemeContext';
import { shortDate } from '../lib/dates';
import { type EntityListItem, toEntityType, TYPE_TITLES } from '../lib/sync/entities';
import { space } from '../theme/tokens';
import { AppText } from './text';
import { TypeBadge } from './TypeBadge';

export const ROW_HEIGHT = 68;

interface EntityRowProps {
  entity: EntityListItem;
  onOpen: (id: string) => void;
}

/** Rendered again only when its own row has changed: the others stay the same objects. */
export const EntityRow = memo(function EntityRow({ entity, onOpen }: EntityRowProps) {
  const { colours } = useTheme();
  const type = toEntityType(entity.entity_type);
  const name = entity.name ?? '';
  return (
    <Pressable
      accessibilityRole="button"
      accessibilityLabel={`${name}, ${type}`}
      testID={`entity-row-${entity.id}`}
      onPress={() => onOpen(entity.id)}
      style={({ pressed }) => [styles.row, { borderBottomColor: colours.border, backgroundColor: pressed ? colours.sunken : colours.surface }]}
    >
      <TypeBadge type={type} />
      <View style={styles.texts}>
        <AppText numberOfLines={1} style={styles.name}>
          {name}
        </AppText>
        <AppText kind="small" tone="muted" numberOfLines={1}>
          {[TYPE_TITLES[type], shortDate(entity.created_at)].filter((part) => part !== '').join(' · ')}
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
    height: ROW_HEIGHT,
    flexDirection: 'row',
    alignItems: 'center',
    gap: space.m,
    paddingHorizontal: space.l,
    borderBottomWidth: StyleSheet.hairlineWidth,
  },
  texts: { flex: 1 },
  name: { fontWeight: '500' },
});
