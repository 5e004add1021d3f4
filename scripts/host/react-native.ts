/**
 * `react-native` as far as `@omnii/sync` and its tests need it in the host: the real way to a TurboModule, and stand-ins
 * for the platform. Nothing here renders.
 */

type ModuleProxy = (name: string) => unknown;

const globals = globalThis as unknown as {
  __turboModuleProxy?: ModuleProxy;
  nativeModuleProxy?: Record<string, unknown>;
};

export type TurboModule = { getConstants?(): object };

export declare namespace CodegenTypes {
  type UnsafeObject = object;
  type EventEmitter<T> = (listener: (event: T) => void | Promise<void>) => { remove(): void };
}

export const TurboModuleRegistry = {
  get<T>(name: string): T | null {
    const found = globals.__turboModuleProxy?.(name) ?? globals.nativeModuleProxy?.[name] ?? null;
    return found as T | null;
  },

  getEnforcing<T>(name: string): T {
    const found = TurboModuleRegistry.get<T>(name);
    if (found === null) throw new Error(`TurboModuleRegistry.getEnforcing(...): '${name}' could not be found.`);
    return found;
  },
};

export const Platform = {
  OS: 'android',
  Version: 0,
  isTesting: true,
  select<T>(choices: { android?: T; native?: T; default?: T }): T | undefined {
    return choices.android ?? choices.native ?? choices.default;
  },
};

export type AppStateStatus = 'active' | 'background' | 'inactive';
type AppStateListener = (state: AppStateStatus) => void;

const appStateListeners = new Set<AppStateListener>();

export const AppState = {
  currentState: 'active' as AppStateStatus,

  addEventListener(type: 'change' | 'focus' | 'blur' | 'memoryWarning', listener: AppStateListener): { remove(): void } {
    // A listener of its own for each call, as in React Native, even if the function is the same.
    const own: AppStateListener = (state) => listener(state);
    if (type === 'change') appStateListeners.add(own);
    return { remove: () => void appStateListeners.delete(own) };
  },
};

/** For tests: the app goes to the background or comes back. */
export function changeAppState(state: AppStateStatus): void {
  AppState.currentState = state;
  for (const listener of [...appStateListeners]) listener(state);
}
