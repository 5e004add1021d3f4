import { useDatabase } from '@omnii/sync';
import { syncFake } from '@omnii/sync/jest';
import { act, fireEvent, screen, waitFor } from '@testing-library/react-native';
import { useEffect } from 'react';
import SyncScreen from '../src/app/(tabs)/sync';
import { createEntity } from '../src/lib/sync/entities';
import { entity, renderInApp } from './app';

/** Writes once the database is there. */
function Writes({ name }: { name: string }) {
  const db = useDatabase();
  useEffect(() => {
    if (db) void createEntity(db, { name, type: 'task', notes: '' });
  }, [db, name]);
  return null;
}

const renderWith = (name: string) =>
  renderInApp(
    <>
      <SyncScreen />
      <Writes name={name} />
    </>,
  );

test('counts what waits, and uploads it when it can', async () => {
  syncFake.setOnline(false);
  renderWith('Waiting');
  await waitFor(() => expect(screen.getByTestId('sync-pending-count')).toHaveTextContent('1'));
  act(() => syncFake.setOnline(true));
  await waitFor(() => expect(screen.getByTestId('sync-pending-count')).toHaveTextContent('0'));
  expect(syncFake.uploaded()).toHaveLength(1);
  await waitFor(() => expect(screen.getByTestId('sync-last-synced')).toHaveTextContent(/just now|\d+ s ago/));
});

test('shows a refused change with its reason, and discards it', async () => {
  syncFake.refuse(({ data }) => data?.['name'] === 'Refused', 'names like that are not allowed');
  renderWith('Refused');
  await waitFor(() => expect(screen.getByText('New: Refused')).toBeTruthy());
  expect(screen.getByText('names like that are not allowed')).toBeTruthy();
  expect(screen.getByTestId('sync-parked-count')).toHaveTextContent('1');
  fireEvent.press(screen.getByLabelText('Discard: Refused'));
  await waitFor(() => expect(screen.queryByText('New: Refused')).toBeNull());
  expect(screen.getByTestId('sync-parked-count')).toHaveTextContent('0');
});

test('tries a refused change again', async () => {
  const allow = syncFake.refuse(({ data }) => data?.['name'] === 'Refused', 'not now');
  renderWith('Refused');
  await waitFor(() => expect(screen.getByText('New: Refused')).toBeTruthy());
  allow();
  fireEvent.press(screen.getByLabelText('Try again: Refused'));
  await waitFor(() => expect(screen.queryByText('New: Refused')).toBeNull());
  await waitFor(() => expect(syncFake.uploaded()).toHaveLength(1));
});

test('downloading everything again is asked for twice', async () => {
  renderWith('Any');
  fireEvent.press(await screen.findByTestId('sync-clear'));
  expect(screen.getByText(/Changes that wait to be uploaded are kept/)).toBeTruthy();
  fireEvent.press(screen.getByTestId('sync-clear-cancel'));
  expect(screen.queryByTestId('sync-clear-confirm')).toBeNull();
});

test('syncing that was stopped can be started again', async () => {
  renderWith('Any');
  await waitFor(() => expect(syncFake.uploaded()).toHaveLength(1));
  fireEvent.press(screen.getByTestId('sync-disconnect'));
  const connect = await screen.findByTestId('sync-connect');
  syncFake.deliver('sync_entities', [entity('e', 'Later')]);
  fireEvent.press(connect);
  await waitFor(() => expect(screen.getByTestId('sync-disconnect')).toBeTruthy());
  await waitFor(() => expect(screen.getByTestId('connection-status')).toHaveTextContent('Synced'));
});

test('the chart counts rows also of downloads too short for a progress bar', async () => {
  renderWith('Any');
  await waitFor(() => expect(syncFake.uploaded()).toHaveLength(1));
  act(() => syncFake.deliver('sync_entities', [entity('e', 'One'), entity('f', 'Two')]));
  await waitFor(() => expect(screen.getByTestId('sync-chart').props.accessibilityLabel).toMatch(/Last round: .*, 2 rows/));
});
