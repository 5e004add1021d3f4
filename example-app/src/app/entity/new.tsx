import { SyncError, useDatabase } from '@omnii/sync';
import { useRouter } from 'expo-router';
import { EntityForm } from '../../components/EntityForm';
import { Page } from '../../components/layout';
import { createEntity } from '../../lib/sync/entities';

export default function NewEntityScreen() {
  const db = useDatabase();
  const router = useRouter();
  return (
    <Page title="New entity" back="Close" scrolls>
      <EntityForm
        initial={{ name: '', type: 'task', notes: '' }}
        saveTitle="Add"
        onSave={async (draft) => {
          if (!db) throw new SyncError('NotOpen', 'The database is not open yet. Try again in a moment.');
          await createEntity(db, draft);
          router.back();
        }}
      />
    </Page>
  );
}
