/** What flows import as `@omnii/phone`: the phone, the backend, and the app under test. */
import { join } from 'node:path';
import { type App, buildApp, givenApp } from './app';

export { type App } from './app';
export { BackendServer, type Credentials } from './server';
export { CrashError, type Element, type Fling, Locator, type LogLine, type Matcher, Phone, type PhoneOptions, type State, type TaskTimes } from './phone';

function needed(name: string): string {
  const value = process.env[name];
  if (!value) throw new Error(`${name} is not set: run flows with \`npm run phone\``);
  return value;
}

/** The app that `npm run phone` was asked to run, exported and compiled if it has changed. */
export function appUnderTest(): App {
  const root = needed('OMNII_ROOT');
  const project = process.env['OMNII_PHONE_PROJECT'] ?? join(root, 'example-app');
  const bundle = process.env['OMNII_PHONE_BUNDLE'];
  if (bundle) return givenApp(bundle, project);
  return buildApp({
    project,
    sources: [join(root, 'js')],
    hermesc: needed('OMNII_HERMESC'),
    cache: needed('OMNII_PHONE_CACHE'),
    say: (text) => process.stderr.write(`phone: ${text}\n`),
  });
}
