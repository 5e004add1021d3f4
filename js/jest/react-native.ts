/**
 * `react-native` as far as `@omnii/sync` needs it, for tests that run without React Native (vitest, node:test): alias
 * `react-native` to `@omnii/sync/jest/react-native`. jest-expo brings its own.
 */

type State = 'active' | 'background' | 'inactive';

const listeners = new Set<{ readonly call: (state: State) => void }>();

export const AppState = {
  currentState: 'active' as State,
  addEventListener: (_type: 'change', call: (state: State) => void): { remove: () => void } => {
    const listener = { call };
    listeners.add(listener);
    return { remove: () => { listeners.delete(listener); } };
  },
};

/** Plays an event of the operating system. */
export function changeAppState(state: State): void {
  AppState.currentState = state;
  for (const { call } of [...listeners]) {
    call(state);
  }
}

export const Platform = { OS: 'ios' as 'ios' | 'android', select: <T>(choices: { ios?: T; android?: T; native?: T; default?: T }) => choices.ios ?? choices.native ?? choices.default };

/** There are no native modules but the fake, which does not come this way. */
export const TurboModuleRegistry = { get: () => null, getEnforcing: () => null };

// Without an alias, too: what Node resolves of the package looks here.
(globalThis as Record<symbol, unknown>)[Symbol.for('@omnii/sync/react-native')] = { AppState, Platform };
