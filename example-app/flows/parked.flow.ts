import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { appUnderTest } from '@omnii/phone';
import { createEntity, openTab, rowsOf, signIn, SYNC_MS, waitForPending, waitUntilUploaded, withBackend } from './steps';

const app = appUnderTest();

/** A backend whose database refuses one of the types that the app offers. Protocol 1 swallows that refusal. */
function backendWithout(type: string): { args: string[]; remove: () => void } {
  const folder = mkdtempSync(join(tmpdir(), 'omnii-flow-'));
  const example = join(process.env['OMNII_ROOT'] ?? '.', 'rust/server/config.example.json');
  const config = JSON.parse(readFileSync(example, 'utf8')) as { tables: { sync_entities: { columns: { entity_type: { enum: string[] } } } } };
  const { entity_type } = config.tables.sync_entities.columns;
  entity_type.enum = entity_type.enum.filter((name) => name !== type);
  const file = join(folder, 'config.json');
  writeFileSync(file, JSON.stringify(config));
  return { args: ['--config', file], remove: () => rmSync(folder, { recursive: true, force: true }) };
}

test('a change the backend refuses is parked, shown, and discarded; the others go on', async () => {
  const backend = backendWithout('concept');
  try {
    await withBackend(backend.args, async (scene) => {
      const user = await scene.server.signUp('ada@example.com');
      const phone = await scene.phone({ app });
      await signIn(phone, user);
      await createEntity(phone, 'Refused', 'concept');
      await createEntity(phone, 'Welcome', 'task');
      await openTab(phone, 'sync');
      await phone.getByTestId(/^parked-\d+$/).waitFor({ timeoutMs: SYNC_MS });
      await waitForPending(phone, 0);
      assert.deepEqual((await rowsOf(scene.server, user, 'sync_entities')).map(({ name }) => name), ['Welcome']);

      // Tried again, it waits like any other change; and is refused like before.
      await phone.setOnline(false);
      await phone.getByTestId(/^parked-retry-\d+$/).press();
      await waitForPending(phone, 1);
      assert.equal(await phone.getByTestId(/^parked-\d+$/).count(), 0);
      await phone.setOnline(true);
      await phone.getByTestId(/^parked-\d+$/).waitFor({ timeoutMs: SYNC_MS });

      await phone.getByTestId(/^parked-discard-\d+$/).press();
      await phone.getByTestId(/^parked-\d+$/).waitForGone({ timeoutMs: SYNC_MS });
      await openTab(phone, 'entities');
      await phone.getByText('Refused').waitForGone({ timeoutMs: SYNC_MS });
      await phone.getByText('Welcome').waitFor();
    });
  } finally {
    backend.remove();
  }
});

test('clearAndReconnect with a pending change keeps it', () =>
  withBackend([], async (scene) => {
    const user = await scene.server.signUp('ada@example.com');
    const phone = await scene.phone({ app });
    await signIn(phone, user);
    await createEntity(phone, 'Uploaded');
    await waitUntilUploaded(phone, scene.server, user, 'Uploaded');
    await phone.setOnline(false);
    await openTab(phone, 'entities');
    await createEntity(phone, 'Not uploaded');
    await waitForPending(phone, 1);
    await phone.getByTestId('sync-clear').press();
    await phone.getByTestId('sync-clear-confirm').press();
    await waitForPending(phone, 1);
    await phone.setOnline(true);
    await waitForPending(phone, 0);
    await openTab(phone, 'entities');
    await phone.getByText('Not uploaded').waitFor({ timeoutMs: SYNC_MS });
    await phone.getByText('Uploaded').waitFor({ timeoutMs: SYNC_MS });
    const names = (await rowsOf(scene.server, user, 'sync_entities')).map(({ name }) => name).sort();
    assert.deepEqual(names, ['Not uploaded', 'Uploaded']);
  }));
