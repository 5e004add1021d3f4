/** Stands in for 'react-native' in unit tests (alias in scripts/unit-test.mjs): the fake module and an AppState to play with. */
import { native } from './native';

export const TurboModuleRegistry = { get: () => native };

const handlers = new Set<(state: string) => void>();

export const Platform = { OS: 'android' as 'android' | 'ios' };

export const AppState = {
  currentState: 'active' as 'active' | 'background' | 'inactive',
  addEventListener: (_type: 'change', handler: (state: string) => void) => {
    handlers.add(handler);
    return { remove: () => handlers.delete(handler) };
  },
};

/** Plays an event of the operating system. */
export function appBecomes(state: 'active' | 'background' | 'inactive'): void {
  AppState.currentState = state;
  for (const handler of [...handlers]) {
    handler(state);
  }
}

/** How many listeners are registered. */
export const appStateListeners = (): number => handlers.size;
