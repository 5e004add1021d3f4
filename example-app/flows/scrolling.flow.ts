import assert from 'node:assert/strict';
import { test } from 'node:test';
import { appUnderTest } from '@omnii/phone';
import { openTab, signIn, SYNC_MS, waitForStatus, withBackend } from './steps';

const app = appUnderTest();
/** What the engine may take of the JS thread at once. */
const LIMIT_MS = 50;

test('10,000 rows arrive while the list is scrolled, and no frame waits for us', () =>
  withBackend(['--seed', '10000'], async (scene) => {
    assert.ok(scene.server.demo);
    const phone = await scene.phone({ app });
    // So that rows keep coming for as long as it is scrolled.
    phone.setBandwidth(1_200_000);
    await signIn(phone, scene.server.demo);
    await phone.getByTestId(/^entity-row-/).nth(0).waitFor({ timeoutMs: SYNC_MS });
    const during = await phone.getByTestId('entity-list').fling(20_000, 180);
    phone.setBandwidth(Infinity);
    await waitForStatus(phone, 'Synced');
    await openTab(phone, 'entities');
    const idle = await phone.getByTestId('entity-list').fling(20_000, 180);
    const { nativeTasks } = during;
    console.log(
      `scrolled ${during.frames} frames: ${during.commits} commits, the latest ${during.latestCommitMs.toFixed(1)} ms after its event ` +
        `(${idle.latestCommitMs.toFixed(1)} ms without syncing), the latest frame ${during.latestFrameMs.toFixed(1)} ms; ` +
        `${nativeTasks.count} tasks of ours, the longest ${nativeTasks.longestMs.toFixed(1)} ms, ${nativeTasks.totalMs.toFixed(1)} ms in all`,
    );
    assert.ok(during.commits > 20, `only ${during.commits} commits: the list did not scroll`);
    assert.ok(nativeTasks.count > 10, `only ${nativeTasks.count} tasks of ours: nothing was synced meanwhile`);
    assert.ok(nativeTasks.longestMs < LIMIT_MS, `a task of ours held the JS thread for ${nativeTasks.longestMs} ms`);
  }));
