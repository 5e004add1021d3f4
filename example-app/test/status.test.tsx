import { useDatabase } from '@omnii/sync';
import { syncFake } from '@omnii/sync/jest';
import { act, screen, waitFor } from '@testing-library/react-native';
import { useEffect } from 'react';
import { ConnectionStatus, STATUS_COLOURS, STATUS_WORDS } from '../src/components/ConnectionStatus';
import { palettes } from '../src/theme/tokens';
import { entity, renderInApp } from './app';

const word = (): string => screen.getByTestId('connection-status').props.accessibilityLabel as string;

test('says offline, then synced, and offline again without a network', async () => {
  syncFake.setOnline(false);
  renderInApp(<ConnectionStatus />);
  await waitFor(() => expect(word()).toBe('Sync status: Offline'));
  act(() => syncFake.setOnline(true));
  await waitFor(() => expect(word()).toBe('Sync status: Synced'));
  expect(screen.getByText('Synced')).toBeTruthy();
});

test('says offline after syncing was stopped', async () => {
  let disconnect: (() => Promise<void>) | undefined;
  function Controls() {
    const db = useDatabase();
    useEffect(() => {
      disconnect = db ? () => db.disconnect() : undefined;
    }, [db]);
    return null;
  }
  renderInApp(
    <>
      <ConnectionStatus />
      <Controls />
    </>,
  );
  await waitFor(() => expect(word()).toBe('Sync status: Synced'));
  await act(async () => disconnect?.());
  await waitFor(() => expect(word()).toBe('Sync status: Offline'));
});

test('each status has a word and a colour in both schemes', () => {
  for (const status of ['offline', 'connecting', 'syncing', 'synced', 'error'] as const) {
    expect(STATUS_WORDS[status]).toMatch(/^[A-Z][a-z]+$/);
    for (const palette of Object.values(palettes)) expect(palette[STATUS_COLOURS[status]]).toMatch(/^#[0-9A-F]{6}$/);
  }
});

test('a row of the backend leaves it synced', async () => {
  syncFake.deliver('sync_entities', [entity('a', 'One')]);
  renderInApp(<ConnectionStatus />);
  await waitFor(() => expect(word()).toBe('Sync status: Synced'));
});
