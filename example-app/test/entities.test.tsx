import { syncFake } from '@omnii/sync/jest';
import { router } from 'expo-router';
import { act, fireEvent, screen, waitFor } from '@testing-library/react-native';
import EntitiesScreen from '../src/app/(tabs)/index';
import EditEntityScreen from '../src/app/entity/edit/[id]';
import NewEntityScreen from '../src/app/entity/new';
import { entity, renderInApp } from './app';

const names = (): string[] => screen.queryAllByTestId(/^entity-row-/).map((row) => (row.props.accessibilityLabel as string).split(',')[0] ?? '');

beforeEach(() => jest.clearAllMocks());

test('shows what is there, newest first, and what comes', async () => {
  syncFake.deliver('sync_entities', [
    entity('a', 'Older', 'task', '2026-01-01T10:00:00Z'),
    entity('b', 'Newer', 'email', '2026-01-02T10:00:00Z'),
  ]);
  renderInApp(<EntitiesScreen />);
  await waitFor(() => expect(names()).toEqual(['Newer', 'Older']));
  act(() => syncFake.deliver('sync_entities', [entity('c', 'Newest', 'contact', '2026-01-03T10:00:00Z')]));
  await waitFor(() => expect(names()).toEqual(['Newest', 'Newer', 'Older']));
});

test('filters by type and searches by name, also for what LIKE would read as a pattern', async () => {
  syncFake.deliver('sync_entities', [entity('a', '100% sure'), entity('b', '100 times'), entity('c', 'Ada', 'contact')]);
  renderInApp(<EntitiesScreen />);
  await waitFor(() => expect(names()).toHaveLength(3));
  fireEvent.press(screen.getByTestId('entity-filter-contact'));
  await waitFor(() => expect(names()).toEqual(['Ada']));
  fireEvent.press(screen.getByTestId('entity-filter-all'));
  fireEvent.changeText(screen.getByTestId('entity-search'), '100%');
  await waitFor(() => expect(names()).toEqual(['100% sure']));
  fireEvent.changeText(screen.getByTestId('entity-search'), 'nobody');
  await waitFor(() => expect(screen.getByText('Nothing found')).toBeTruthy());
});

test('says when there is nothing yet', async () => {
  renderInApp(<EntitiesScreen />);
  await waitFor(() => expect(screen.getByText('Nothing here yet')).toBeTruthy());
});

test('before the first sync it does not say that there is nothing', async () => {
  syncFake.setOnline(false);
  renderInApp(<EntitiesScreen />);
  await waitFor(() => expect(screen.getByText('Not synced yet')).toBeTruthy());
  expect(screen.queryByText('Nothing here yet')).toBeNull();
  act(() => syncFake.setOnline(true));
  await waitFor(() => expect(screen.getByText('Nothing here yet')).toBeTruthy());
});

test('saving sends what was edited here, not what another device has changed meanwhile', async () => {
  syncFake.deliver('sync_entities', [entity('a', 'Old name')]);
  renderInApp(
    <>
      <EntitiesScreen />
      <EditEntityScreen />
    </>,
  );
  await waitFor(() => expect(screen.getByTestId('entity-name').props.value).toBe('Old name'));
  act(() => syncFake.deliver('sync_entities', [entity('a', 'Name from elsewhere')]));
  await waitFor(() => expect(names()).toEqual(['Name from elsewhere']));
  fireEvent.changeText(screen.getByTestId('entity-notes'), 'Mine');
  fireEvent.press(screen.getByTestId('entity-save'));
  await waitFor(() => expect(syncFake.uploaded()).toHaveLength(1));
  expect(syncFake.uploaded()[0]?.data).toEqual({ properties: '{"notes":"Mine"}' });
});

test('a row opens its entity', async () => {
  syncFake.deliver('sync_entities', [entity('a', 'One')]);
  renderInApp(<EntitiesScreen />);
  fireEvent.press(await screen.findByTestId('entity-row-a'));
  expect(router.push).toHaveBeenCalledWith({ pathname: '/entity/[id]', params: { id: 'a' } });
});

test('the form wants a name, then writes, uploads and closes', async () => {
  renderInApp(
    <>
      <EntitiesScreen />
      <NewEntityScreen />
    </>,
  );
  await waitFor(() => expect(screen.getByText('Nothing here yet')).toBeTruthy());
  fireEvent.press(screen.getByTestId('entity-save'));
  await waitFor(() => expect(screen.getByText('Give it a name.')).toBeTruthy());
  fireEvent.changeText(screen.getByTestId('entity-name'), '  Buy milk ');
  fireEvent.press(screen.getByTestId('entity-type-concept'));
  fireEvent.press(screen.getByTestId('entity-save'));
  await waitFor(() => expect(names()).toEqual(['Buy milk']));
  expect(router.back).toHaveBeenCalledTimes(1);
  await waitFor(() => expect(syncFake.uploaded()).toMatchObject([{ table: 'sync_entities', op: 'PUT', data: { name: 'Buy milk', entity_type: 'concept' } }]));
});
