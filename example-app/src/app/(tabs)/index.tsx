import { useQuery, useStatus, useSyncState } from '@omnii/sync';
import { useRouter } from 'expo-router';
import { useCallback, useState } from 'react';
import { FlatList, ScrollView, StyleSheet, useWindowDimensions, View } from 'react-native';
import { Button } from '../../components/Button';
import { Chip } from '../../components/Chip';
import { EntityRow, rowHeight } from '../../components/EntityRow';
import { Field } from '../../components/Field';
import { EmptyState, Notice, Page } from '../../components/layout';
import { SyncIndicator } from '../../components/SyncIndicator';
import { UnsupportedNotice } from '../../components/UnsupportedNotice';
import { ENTITY_TYPES, type EntityListItem, type EntityType, LIST_SQL, listParameters, TYPE_TITLES } from '../../lib/sync/entities';
import { space } from '../../theme/tokens';

const keyOf = ({ id }: EntityListItem): string => id;

/** All entities, newest first: what is written here shows at once, what comes from elsewhere when it is there. */
export default function EntitiesScreen() {
  const router = useRouter();
  const { isSupported, isInitialized } = useSyncState();
  const { hasSynced } = useStatus();
  const [type, setType] = useState<EntityType | null>(null);
  const [search, setSearch] = useState('');
  const { data, isLoading, error } = useQuery<EntityListItem>(LIST_SQL, listParameters(type, search));
  const open = useCallback((id: string) => router.push({ pathname: '/entity/[id]', params: { id } }), [router]);
  const height = rowHeight(useWindowDimensions().fontScale);
  const placeOf = useCallback((_: unknown, index: number) => ({ length: height, offset: height * index, index }), [height]);
  const isFiltered = type !== null || search.trim() !== '';

  return (
    <Page title="Entities" trailing={<SyncIndicator />}>
      <View style={styles.tools}>
        <Field label="Search" isLabelHidden testID="entity-search" value={search} onChangeText={setSearch} placeholder="Search by name" autoCorrect={false} />
        <ScrollView
          horizontal
          showsHorizontalScrollIndicator={false}
          style={styles.filters}
          contentContainerStyle={styles.chips}
          accessibilityRole="radiogroup"
          accessibilityLabel="Type"
        >
          <Chip title="All" selected={type === null} onPress={() => setType(null)} testID="entity-filter-all" />
          {ENTITY_TYPES.map((name) => (
            <Chip key={name} title={TYPE_TITLES[name]} selected={type === name} onPress={() => setType(name)} testID={`entity-filter-${name}`} />
          ))}
        </ScrollView>
        {error && isSupported && <Notice tone="danger" title="The list cannot be read" text={error.message} />}
        {!isSupported && <UnsupportedNotice />}
      </View>
      <FlatList
        testID="entity-list"
        data={data}
        keyExtractor={keyOf}
        getItemLayout={placeOf}
        renderItem={({ item }) => <EntityRow entity={item} height={height} onOpen={open} />}
        initialNumToRender={14}
        windowSize={7}
        keyboardShouldPersistTaps="handled"
        contentContainerStyle={data.length === 0 ? styles.emptyList : styles.list}
        ListEmptyComponent={
          isLoading || !isSupported ? null : isFiltered ? (
            <EmptyState title="Nothing found" hint="No entity has this type and name." />
          ) : !hasSynced ? (
            <EmptyState title="Not synced yet" hint="What you have on the server appears here as it arrives." />
          ) : (
            <EmptyState title="Nothing here yet" hint="What you add is saved on this device at once, and synced when there is a network." />
          )
        }
      />
      <View style={styles.footer}>
        <Button
          title="New entity"
          kind="primary"
          testID="entity-new"
          disabled={!isInitialized}
          onPress={() => router.push('/entity/new')}
        />
      </View>
    </Page>
  );
}

const styles = StyleSheet.create({
  tools: { paddingHorizontal: space.l, gap: space.m, paddingBottom: space.m },
  filters: { flexGrow: 0, marginHorizontal: -space.l },
  chips: { gap: space.s, paddingHorizontal: space.l },
  list: { paddingBottom: space.l },
  emptyList: { flexGrow: 1 },
  footer: { padding: space.l, paddingTop: space.s },
});
