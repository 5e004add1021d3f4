/**
 * The prelude: makes the global object of a script look like React Native's with a little of Node, then runs the bundle.
 * Everything is installed here, in this order; the other files only define.
 */
import './globals';
import { installConsole } from './console';
import { reportUncaught, reportUnhandledRejection } from './errors';
import { installEvents } from './events';
import { fetched, installFetch } from './fetch';
import { childEvent, installHost } from './host';
import { call, define, invocation, native } from './native';
import { installProcess, process } from './process';
import { fireTimer, flushRejections, installTimers } from './timers';
import { installWeb } from './web';

interface HermesInternal {
  enablePromiseRejectionTracker?(options: {
    allRejections: boolean;
    onUnhandled: (id: number, reason: unknown) => void;
    onHandled: (id: number) => void;
  }): void;
}

/** Nothing keeps the process alive: either an error is still unreported, or this is the end. */
function idle(): void {
  flushRejections();
  if (process.exitCode !== undefined) native.exit(Number(process.exitCode));
}

native.listen(fireTimer, fetched, childEvent, reportUncaught, idle, () => {});

define('__DEV__', true);
define('navigator', { product: 'ReactNative' });
installTimers();
installEvents();
installWeb();
installProcess();
installConsole();
installFetch();
installHost();
define('reportError', reportUncaught);
define('ErrorUtils', {
  getGlobalHandler: () => reportUncaught,
  setGlobalHandler() {},
  reportError: reportUncaught,
  reportFatalError: reportUncaught,
});

(globalThis as unknown as { HermesInternal?: HermesInternal }).HermesInternal?.enablePromiseRejectionTracker?.({
  allRejections: true,
  onUnhandled: (_id, reason) => reportUnhandledRejection(reason),
  onHandled() {},
});

try {
  native.evaluate(call<string>('readText', { path: invocation.bundle }), invocation.bundle);
} catch (thrown) {
  reportUncaught(thrown);
}
