import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { test } from 'node:test';
import { appUnderTest } from '@omnii/phone';
import { createEntity, openTab, rowsOf, signIn, signOut, SYNC_MS, upload, waitForPending, waitForStatus, waitUntilUploaded, withBackend } from './steps';

const app = appUnderTest();
/** The engine's own interval is 30 s while the app is in use. */
const POLL_MS = 45_000;

test('a change on the server appears in the list by itself', () =>
  withBackend([], async (scene) => {
    const user = await scene.server.signUp('ada@example.com');
    const phone = await scene.phone({ app });
    await signIn(phone, user);
    await createEntity(phone, 'Here before');
    await waitUntilUploaded(phone, scene.server, user, 'Here before');
    await openTab(phone, 'entities');
    const id = randomUUID();
    await upload(scene.server, user, 'sync_entities', [{ type: 'PUT', id, data: { id, entity_type: 'concept', name: 'From elsewhere' } }]);
    // Nobody does anything: the app is in front, and polls.
    await phone.getByText('From elsewhere').waitFor({ timeoutMs: POLL_MS });
  }));

test('an access token that expires in the middle of a session costs nothing', () =>
  withBackend(['--token-lifetime-s', '2'], async (scene) => {
    const user = await scene.server.signUp('ada@example.com');
    const phone = await scene.phone({ app });
    await signIn(phone, user);
    for (const name of ['One', 'Two', 'Three']) {
      await createEntity(phone, name);
      await new Promise((resolve) => setTimeout(resolve, 2500));
    }
    await waitForPending(phone, 0);
    await waitForStatus(phone, 'Synced');
    const names = (await rowsOf(scene.server, user, 'sync_entities')).map(({ name }) => name).sort();
    assert.deepEqual(names, ['One', 'Three', 'Two']);
  }));

test('signed out, another user sees nothing of the first', () =>
  withBackend([], async (scene) => {
    const ada = await scene.server.signUp('ada@example.com');
    const grace = await scene.server.signUp('grace@example.com');
    const phone = await scene.phone({ app });
    await signIn(phone, ada);
    await createEntity(phone, 'A secret of Ada');
    await waitUntilUploaded(phone, scene.server, ada, 'A secret of Ada');
    await openTab(phone, 'profile');
    assert.equal(await phone.getByTestId('profile-email').text(), ada.email);
    await signOut(phone);

    await signIn(phone, grace);
    await waitForStatus(phone, 'Synced');
    await openTab(phone, 'entities');
    assert.equal(await phone.getByText(/secret/).count(), 0);
    await createEntity(phone, 'A note of Grace');
    await waitUntilUploaded(phone, scene.server, grace, 'A note of Grace');
    assert.deepEqual((await rowsOf(scene.server, grace, 'sync_entities')).map(({ name }) => name), ['A note of Grace']);
    assert.deepEqual((await rowsOf(scene.server, ada, 'sync_entities')).map(({ name }) => name), ['A secret of Ada']);

    // And back: what is Ada's is there again.
    await signOut(phone);
    await signIn(phone, ada);
    await phone.getByText('A secret of Ada').waitFor({ timeoutMs: SYNC_MS });
    assert.equal(await phone.getByText(/Grace/).count(), 0);
  }));
