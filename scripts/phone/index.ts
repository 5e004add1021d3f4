/** What flows import as `@omnii/phone`: the phone, the backend, and the app under test. */
import { type App, appOf } from './app';

export { type App } from './app';
export { BackendServer, type Credentials } from './server';
export { CrashError, type Element, type Fling, Locator, type LogLine, type Matcher, Phone, type PhoneOptions, type State, type TaskTimes } from './phone';

function needed(name: string): string {
  const value = process.env[name];
  if (!value) throw new Error(`${name} is not set: run flows with \`npm run phone\``);
  return value;
}

/** The app that `npm run phone` was asked to run. */
export function appUnderTest(): App {
  return appOf(needed('OMNII_PHONE_BUNDLE'), needed('OMNII_PHONE_PROJECT'));
}
