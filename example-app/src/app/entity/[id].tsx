import { useDatabase, useQuery, useSyncState } from '@omnii/sync';
import { useLocalSearchParams, useRouter } from 'expo-router';
import { useState } from 'react';
import { Pressable, StyleSheet, View } from 'react-native';
import { Button, ConfirmButton } from '../../components/Button';
import { Card, EmptyState, Fact, Notice, Page } from '../../components/layout';
import { SyncIndicator } from '../../components/SyncIndicator';
import { AppText } from '../../components/text';
import { TypeBadge } from '../../components/TypeBadge';
import { UnsupportedNotice } from '../../components/UnsupportedNotice';
import { shortDate } from '../../lib/dates';
import { deleteEntity, type Entity, type Relation, RELATIONS_SQL, toDraft, toEntityType, TYPE_TITLES } from '../../lib/sync/entities';
import { useTheme } from '../../context/ThemeContext';
import { space, TOUCH } from '../../theme/tokens';

/** One entity, and what it is related to. */
export default function EntityScreen() {
  const { id } = useLocalSearchParams<{ id: string }>();
  const router = useRouter();
  const db = useDatabase();
  const { isSupported, isInitialized } = useSyncState();
  const { data, isLoading, error } = useQuery<Entity>('SELECT * FROM sync_entities WHERE id = ?', [id]);
  const [failure, setFailure] = useState<string | null>(null);
  const entity = data[0];

  const remove = async (): Promise<void> => {
    if (!db) return;
    try {
      await deleteEntity(db, id);
      if (router.canGoBack()) router.back();
      else router.replace('/');
    } catch (reason) {
      setFailure(reason instanceof Error ? reason.message : String(reason));
    }
  };

  if (!entity) {
    return (
      <Page title="Entity" back="Back">
        {!isSupported ? (
          <UnsupportedNotice />
        ) : (
          isInitialized && !isLoading && <EmptyState title={error ? 'It cannot be read' : 'It is not here'} hint={error?.message ?? 'It may have been deleted, or not be synced yet.'} />
        )}
      </Page>
    );
  }
  const { notes } = toDraft(entity);
  const type = toEntityType(entity.entity_type);
  return (
    <Page title="Entity" back="Back" trailing={<SyncIndicator />} scrolls>
      <Card>
        <View style={styles.head}>
          <TypeBadge type={type} size={48} />
          <AppText kind="heading" testID="entity-title" style={styles.name}>
            {entity.name}
          </AppText>
        </View>
        {notes !== '' && <AppText>{notes}</AppText>}
        <Fact label="Type" value={TYPE_TITLES[type]} />
        <Fact label="Created" value={shortDate(entity.created_at) || 'not synced yet'} />
        <Fact label="Changed on the server" value={shortDate(entity.updated_at) || 'not yet'} />
      </Card>
      <Relations id={id} />
      {failure !== null && <Notice tone="danger" title="Not deleted" text={failure} />}
      <Button title="Edit" kind="primary" testID="entity-edit" onPress={() => router.push({ pathname: '/entity/edit/[id]', params: { id } })} />
      <ConfirmButton
        title="Delete"
        kind="danger"
        question="Delete this entity, here and everywhere?"
        confirmTitle="Delete"
        testID="entity-delete"
        onPress={() => void remove()}
      />
    </Page>
  );
}

/** `assigned_to` as people write it. */
const wordsOf = (relationship: string | null): string => relationship?.replaceAll('_', ' ') ?? 'related';

function Relations({ id }: { id: string }) {
  const { colours } = useTheme();
  const router = useRouter();
  const { data, isLoading } = useQuery<Relation>(RELATIONS_SQL, [id]);
  return (
    <Card title="Relationships" testID="entity-relationships">
      {data.length === 0 && !isLoading && (
        <AppText kind="small" tone="muted">
          None so far.
        </AppText>
      )}
      {data.map(({ id: key, relationship_type, other_id, other_name, other_type, outgoing }) => (
        <Pressable
          key={key}
          accessibilityRole="link"
          accessibilityLabel={`${wordsOf(relationship_type)} ${outgoing ? 'to' : 'from'} ${other_name ?? ''}`}
          testID={`relationship-${key}`}
          onPress={() => router.push({ pathname: '/entity/[id]', params: { id: other_id } })}
          style={[styles.relation, { borderTopColor: colours.border }]}
        >
          <TypeBadge type={toEntityType(other_type)} size={32} />
          <View style={styles.name}>
            <AppText kind="small" tone="muted">
              {outgoing ? `${wordsOf(relationship_type)} →` : `← ${wordsOf(relationship_type)}`}
            </AppText>
            <AppText numberOfLines={1}>{other_name}</AppText>
          </View>
        </Pressable>
      ))}
    </Card>
  );
}

const styles = StyleSheet.create({
  head: { flexDirection: 'row', alignItems: 'center', gap: space.m },
  name: { flex: 1 },
  relation: { flexDirection: 'row', alignItems: 'center', gap: space.m, minHeight: TOUCH, borderTopWidth: StyleSheet.hairlineWidth, paddingTop: space.m },
});
