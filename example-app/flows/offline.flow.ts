import assert from 'node:assert/strict';
import { test } from 'node:test';
import { appUnderTest } from '@omnii/phone';
import { createEntity, openTab, renameEntity, rowsOf, signIn, SYNC_MS, waitForPending, waitForStatus, waitUntilUploaded, withBackend } from './steps';

const app = appUnderTest();

test('what is made and changed offline outlives the app, and reaches a second phone', () =>
  withBackend([], async (scene) => {
    const user = await scene.server.signUp('ada@example.com');
    const phone = await scene.phone({ app, name: 'first' });
    await signIn(phone, user);
    await createEntity(phone, 'Water the plants');
    await waitUntilUploaded(phone, scene.server, user, 'Water the plants');

    await phone.setOnline(false);
    await openTab(phone, 'entities');
    await createEntity(phone, 'Buy a ladder');
    await renameEntity(phone, 'Water the plants', 'Water all plants');
    await waitForPending(phone, 2);
    await waitForStatus(phone, 'Offline');

    // The app is ended and started again without a network.
    await phone.restart();
    await phone.setOnline(false);
    await phone.getByText('Buy a ladder').waitFor({ timeoutMs: SYNC_MS });
    await phone.getByText('Water all plants').waitFor();
    await waitForPending(phone, 2);

    await phone.setOnline(true);
    await waitForPending(phone, 0);
    await waitForStatus(phone, 'Synced');
    const names = (await rowsOf(scene.server, user, 'sync_entities')).map(({ name }) => name).sort();
    assert.deepEqual(names, ['Buy a ladder', 'Water all plants']);

    const second = await scene.phone({ app, name: 'second' });
    await signIn(second, user);
    await second.getByText('Buy a ladder').waitFor({ timeoutMs: SYNC_MS });
    await second.getByText('Water all plants').waitFor();
    await renameEntity(second, 'Buy a ladder', 'Buy a long ladder');
    await waitUntilUploaded(second, scene.server, user, 'Buy a long ladder');

    await phone.getByTestId('sync-trigger').press();
    await openTab(phone, 'entities');
    await phone.getByText('Buy a long ladder').waitFor({ timeoutMs: SYNC_MS });
  }));
