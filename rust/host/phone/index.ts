/**
 * The headless phone: what an app's bundle finds on the global object when React Native's native side is a desktop host.
 * Everything is installed here, in this order; then the bundle runs and the app starts. The other files only define.
 *
 * The program's one argument is JSON: see {@link Settings}.
 */
import { reportUncaught } from '../prelude/errors';
import { call, define, invocation, native } from '../prelude/native';
import { fireTimer, installTimers } from '../prelude/timers';
import { receive, tell } from './channel';
import { installClock, realElapsed } from './clock';
import { installCommands } from './commands';
import { installConsole } from './console';
import { installExpo } from './expo/core';
import { installExpoFetch } from './expo/fetch';
import { installExpoModules } from './expo/modules';
import { commits, installFabric, onCommit, ROOT } from './fabric';
import { crash, installFailures } from './failures';
import { fetched } from './http';
import { installInput } from './input';
import { installLayout } from './layout';
import { installScheduler } from './scheduler';
import { installAnimated } from './turbo/animated';
import { installAppState } from './turbo/appState';
import { installDom } from './turbo/dom';
import { installNetworking } from './turbo/networking';
import { installPlatform, startWithUrl } from './turbo/platform';
import { installRegistry } from './turbo/registry';
import { installStorage } from './turbo/storage';

interface Settings {
  /** app.json's `expo`, with what the test added to `extra`. */
  manifest: object;
  reactNativeVersion: { major: number; minor: number; patch: number; prerelease: string | null };
  expoModulesCoreVersion: string;
  /** The link the app is opened with. */
  url: string | null;
}

interface AppRegistry {
  getAppKeys(): string[];
  runApplication(key: string, parameters: object, displayMode: number): void;
}

const VISIBLE = 1;
const settings = JSON.parse(invocation.arguments[0] ?? '{}') as Settings;

native.listen(fireTimer, fetched, () => {}, reportUncaught, () => {}, receive);

installTimers();
installClock();
installScheduler();
installConsole();
installFailures();
installRegistry();
installFabric();
installLayout();
installInput();
installPlatform(settings.reactNativeVersion);
installAppState();
installStorage();
installNetworking();
installAnimated();
installDom();
installExpo(settings.expoModulesCoreVersion, () => call('reload'));
installExpoFetch();
installExpoModules(settings.manifest);
installCommands();
startWithUrl(settings.url);
define('global', globalThis);
define('process', { env: { NODE_ENV: 'production' } });

const stop = onCommit(() => {
  tell('firstCommit', { ms: commits.firstAt, realMs: realElapsed() });
  stop();
});

function start(): void {
  native.evaluateFile(invocation.bundle);
  tell('loaded', { ms: realElapsed() });
  const registry = (globalThis as { RN$AppRegistry?: AppRegistry }).RN$AppRegistry;
  const [key] = registry?.getAppKeys().filter((name) => name !== 'LogBox') ?? [];
  if (!registry || key === undefined) throw new Error('The bundle registers no app: is its entry expo-router/entry or AppRegistry.registerComponent?');
  registry.runApplication(key, { initialProps: {}, rootTag: ROOT, fabric: true }, VISIBLE);
}

try {
  start();
} catch (thrown) {
  crash(thrown);
}
