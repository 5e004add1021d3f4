/**
 * What goes wrong in the app. An error nobody caught ends an app on a phone, so it is told as a crash; the runtime stays,
 * for the driver to look at. Native modules the phone does not have are remembered with who asked for them: their absence
 * often shows only later, as something else.
 */
import { bundleIs, handleUncaught, mapStack } from '../prelude/errors';
import { define } from '../prelude/native';
import { tell } from './channel';

const missing = new Map<string, string>();
let hasCrashed = false;

/** Whether the app has been told off; React Native asks. */
export const crashed = (): boolean => hasCrashed;

function describe(thrown: unknown): { message: string; stack: string } {
  if (!(thrown instanceof Error)) return { message: String(thrown), stack: '' };
  return { message: `${thrown.name}: ${thrown.message}`, stack: mapStack(thrown.stack ?? '') };
}

/** The app has ended with an error, or would have on a phone. */
export function crash(thrown: unknown): void {
  hasCrashed = true;
  tell('crash', { ...describe(thrown), missing: missingModules() });
}

/** The app asked for a native module that the phone lacks; optional ones are asked for as well. */
export function noteMissing(kind: string, name: string): void {
  const key = `${kind} ${name}`;
  if (!missing.has(key)) missing.set(key, new Error().stack ?? '');
}

/** What was asked for and is not there, and the first place in the bundle that asked. */
export function missingModules(): { name: string; askedBy: string }[] {
  return [...missing].map(([name, stack]) => {
    const frames = mapStack(stack)
      .split('\n')
      .filter((line) => /^\s+at /.test(line) && !/prelude|TurboModuleRegistry|requireNativeModule|NativeModules\./.test(line));
    return { name, askedBy: (frames[0] ?? '').trim().replace(/^at /, '') };
  });
}

/** React Native's own report of an error: what is fatal ends a release app. */
export const exceptionsManager = {
  reportException(data: { message: string; isFatal: boolean; stack?: { file?: string; lineNumber?: number; column?: number; methodName?: string }[] }) {
    if (data.isFatal) {
      hasCrashed = true;
      // React Native counts columns from 0.
      const frames = (data.stack ?? []).map(
        ({ methodName = '?', file = '?', lineNumber = 0, column = 0 }) => `    at ${methodName} (${file}:${lineNumber}:${column + 1})`,
      );
      tell('crash', { message: data.message, stack: mapStack(frames.join('\n')), missing: missingModules() });
    } else {
      tell('log', { level: 'error', text: data.message });
    }
  },
  reportFatalException: (message: string) => crash(new Error(message)),
  reportSoftException: (message: string) => tell('log', { level: 'error', text: message }),
  dismissRedbox() {},
};

interface HermesInternal {
  enablePromiseRejectionTracker?(options: {
    allRejections: boolean;
    onUnhandled: (id: number, reason: unknown) => void;
    onHandled: (id: number) => void;
  }): void;
}

export function installFailures(): void {
  // Bytecode remembers the path of the script it was made from.
  bundleIs((path) => /\.(bundle|js|hbc)$/.test(path) && !path.endsWith('prelude.js'));
  handleUncaught((thrown) => {
    // As React Native does: the app's own handler is asked first; ours is at its end.
    const utils = (globalThis as { ErrorUtils?: { reportFatalError?: (error: unknown) => void } }).ErrorUtils;
    if (utils?.reportFatalError) utils.reportFatalError(thrown);
    else crash(thrown);
  });
  define('RN$hasHandledFatalException', crashed);
  define('RN$notifyOfFatalException', () => {
    hasCrashed = true;
  });
  define('RN$inExceptionHandler', () => false);
  (globalThis as unknown as { HermesInternal?: HermesInternal }).HermesInternal?.enablePromiseRejectionTracker?.({
    allRejections: true,
    onUnhandled: (_id, reason) => tell('rejection', describe(reason)),
    onHandled() {},
  });
}
