/**
 * What `npm run phone` shows: the example app signs in on a headless phone, downloads, changes something offline, and tells
 * what is on its screen.
 */
import { appUnderTest, BackendServer, Phone } from '@omnii/phone';
import { createEntity, openTab, signIn, SYNC_MS, waitForPending, waitForStatus } from './steps';

const begun = Date.now();
const say = (text: string): void => console.log(text);

const app = appUnderTest();
const server = await BackendServer.start(['--seed', '2000']);
const { demo } = server;
if (!demo) throw new Error('the server has no demo user');
const phone = await Phone.start({ app, server: server.url, verbose: process.env['OMNII_PHONE_VERBOSE'] === '1' });
try {
  say(`The app is up: first commit after ${phone.firstCommitMs.toFixed(0)} ms.`);
  say(await phone.screenshotText());

  const signingIn = Date.now();
  await signIn(phone, demo);
  await phone.getByTestId(/^entity-row-/).nth(0).waitFor({ timeoutMs: SYNC_MS });
  say(`\nSigned in; the list is there after ${Date.now() - signingIn} ms, ${phone.firstCommitMs.toFixed(0)} ms + ${Date.now() - signingIn} ms of app time in all.`);
  await waitForStatus(phone, 'Synced');
  await openTab(phone, 'entities');
  say(await phone.screenshotText());

  await phone.setOnline(false);
  await createEntity(phone, 'Made in a tunnel');
  await waitForPending(phone, 1);
  say('\nOffline, with one change that waits:');
  say(await phone.screenshotText());

  await phone.setOnline(true);
  await waitForPending(phone, 0);
  await waitForStatus(phone, 'Synced');
  say('\nOnline again, and everything is uploaded:');
  say(await phone.screenshotText());

  if (phone.problems.length > 0) throw new Error(`errors in the app's log:\n${phone.problems.join('\n')}`);
  const { commits, system } = await phone.state();
  say(`\n${commits} commits, ${(system.peakRssBytes / 2 ** 20).toFixed(0)} MB at most, ${((Date.now() - begun) / 1000).toFixed(1)} s with building.`);
} finally {
  await phone.close();
  await server.stop();
}
