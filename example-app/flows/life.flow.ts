import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { test } from 'node:test';
import { appUnderTest } from '@omnii/phone';
import { createEntity, openTab, rowsOf, signIn, SYNC_MS, upload, waitForPending, waitForStatus, waitUntilUploaded, withBackend } from './steps';

const app = appUnderTest();

test('a deep link opens an entity, in a running app and in one that it starts', () =>
  withBackend([], async (scene) => {
    const user = await scene.server.signUp('ada@example.com');
    const id = randomUUID();
    await upload(scene.server, user, 'sync_entities', [{ type: 'PUT', id, data: { id, entity_type: 'contact', name: 'Grace Hopper' } }]);
    const phone = await scene.phone({ app });
    await signIn(phone, user);
    await phone.getByText('Grace Hopper').waitFor({ timeoutMs: SYNC_MS });
    await phone.deepLink(`omnii-sync-example://entity/${id}`);
    assert.equal(await phone.getByTestId('entity-title').text(), 'Grace Hopper');
    await phone.back();
    await phone.getByTestId('entity-list').waitFor();
    await phone.restart({ url: `omnii-sync-example://entity/${id}` });
    assert.equal(await phone.getByTestId('entity-title').text({ timeoutMs: SYNC_MS }), 'Grace Hopper');
  }));

test('in the background nothing is lost, and the foreground catches up', () =>
  withBackend([], async (scene) => {
    const user = await scene.server.signUp('ada@example.com');
    const phone = await scene.phone({ app });
    await signIn(phone, user);
    await createEntity(phone, 'Just before');
    await phone.setAppState('background');
    const id = randomUUID();
    await upload(scene.server, user, 'sync_entities', [{ type: 'PUT', id, data: { id, entity_type: 'task', name: 'Meanwhile' } }]);
    await new Promise((resolve) => setTimeout(resolve, 1000));
    await phone.setAppState('active');
    await phone.getByText('Meanwhile').waitFor({ timeoutMs: SYNC_MS });
    await waitForPending(phone, 0);
    // Killed in the background, as systems do.
    await openTab(phone, 'entities');
    await createEntity(phone, 'Last words');
    await phone.setAppState('background');
    await phone.restart();
    await phone.getByText('Last words').waitFor({ timeoutMs: SYNC_MS });
    await waitUntilUploaded(phone, scene.server, user, 'Last words');
    const names = (await rowsOf(scene.server, user, 'sync_entities')).map(({ name }) => name).sort();
    assert.deepEqual(names, ['Just before', 'Last words', 'Meanwhile']);
  }));

test('the bundle is reloaded again and again while it syncs: no crash, and no word from a dead runtime', () =>
  withBackend(['--seed', '30000'], async (scene) => {
    assert.ok(scene.server.demo);
    const phone = await scene.phone({ app });
    await signIn(phone, scene.server.demo);
    const heard = (runtime: number): number => phone.log.filter(({ text }) => text === `event in runtime ${runtime}`).length;
    for (let round = 0; round < 5; round++) {
      await phone.evaluate(`nativeModuleProxy.OmniiSync.onStatusChanged(() => console.log('event in runtime ${round}')); undefined`);
      if (round === 0) await phone.waitFor(async () => heard(0) > 0, 'an event of the module');
      await phone.reload();
      const before = heard(round);
      // In the middle of what the engine does for the new runtime, and of what it still did for the old one.
      await new Promise((resolve) => setTimeout(resolve, 40 * round));
      assert.equal(heard(round), before, 'the dead runtime was told something');
    }
    await phone.getByTestId('entity-list').waitFor({ timeoutMs: SYNC_MS });
    await waitForStatus(phone, 'Synced');
    await openTab(phone, 'entities');
    await createEntity(phone, 'After all that');
    await waitForPending(phone, 0);
  }));
