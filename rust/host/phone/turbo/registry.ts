/**
 * How React Native finds native modules: those the phone makes in JavaScript first, then the real ones behind
 * TurboModuleBinding (`OmniiSync`). What is nowhere is null, and remembered.
 */
import { define } from '../../prelude/native';
import { crashed, noteMissing } from '../failures';

type NativeModule = object;

const modules = new Map<string, NativeModule>();
const callable = new Map<string, () => Record<string, (...args: unknown[]) => unknown>>();

export function provide(given: Record<string, NativeModule>): void {
  for (const [name, module] of Object.entries(given)) modules.set(name, module);
}

/** A module whose constants do not change. */
export function withConstants<T extends object>(constants: object, rest?: T): T & { getConstants(): object } {
  return { ...(rest as T), getConstants: () => constants };
}

/** What every module that emits events has. */
export const emitter = { addListener(): void {}, removeListeners(): void {} };

/** Emits an event of the device to React Native's listeners. */
export function emitDeviceEvent(name: string, ...args: unknown[]): void {
  if (crashed()) return;
  callable.get('RCTDeviceEventEmitter')?.()['emit']?.(name, ...args);
}

export function installRegistry(): void {
  // Installed by React Native's own C++; our module is behind it.
  const native = (globalThis as unknown as { __turboModuleProxy?: (name: string) => NativeModule | null }).__turboModuleProxy;
  const lookUp = (name: string): NativeModule | null => {
    const found = modules.get(name) ?? native?.(name) ?? null;
    if (!found) noteMissing('native module', name);
    return found;
  };
  define('RN$Bridgeless', true);
  define('__turboModuleProxy', lookUp);
  define(
    'nativeModuleProxy',
    new Proxy({}, { get: (_, name) => (typeof name === 'string' && name !== '__esModule' ? lookUp(name) : undefined) }),
  );
  define('RN$registerCallableModule', (name: string, factory: () => Record<string, (...args: unknown[]) => unknown>) => callable.set(name, factory));
  define('__nativeComponentRegistry__hasComponent', () => true);
  define('RN$LegacyInterop_UIManager_getConstants', () => ({}));
  define('RN$LegacyInterop_UIManager_getConstantsForViewManager', () => null);
  define('RN$LegacyInterop_UIManager_getDefaultEventTypes', () => ({}));
}
