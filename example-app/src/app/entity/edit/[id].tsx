import { SyncError, useDatabase, useQuery } from '@omnii/sync';
import { useLocalSearchParams, useRouter } from 'expo-router';
import { EntityForm } from '../../../components/EntityForm';
import { EmptyState, Page } from '../../../components/layout';
import { type Entity, toDraft, updateEntity } from '../../../lib/sync/entities';

export default function EditEntityScreen() {
  const { id } = useLocalSearchParams<{ id: string }>();
  const db = useDatabase();
  const router = useRouter();
  const { data, isLoading } = useQuery<Entity>('SELECT * FROM sync_entities WHERE id = ?', [id]);
  const entity = data[0];
  return (
    <Page title="Edit" back="Close" scrolls>
      {entity ? (
        <EntityForm
          initial={toDraft(entity)}
          saveTitle="Save"
          onSave={async (draft, before) => {
            if (!db) throw new SyncError('NotOpen', 'The database is not open yet. Try again in a moment.');
            await updateEntity(db, id, before, draft);
            router.back();
          }}
        />
      ) : (
        !isLoading && <EmptyState title="It is gone" hint="This entity was deleted, here or on another device." />
      )}
    </Page>
  );
}
