/** One of the native module's events. */
import type { CodegenTypes } from 'react-native';

export function createEmitter<T>() {
  const handlers = new Set<{ readonly call: (event: T) => unknown }>();
  return {
    // Of a subscription only `remove` exists on the native side, whatever its type says.
    subscribe: ((call: (event: T) => unknown) => {
      const handler = { call };
      handlers.add(handler);
      return { remove: () => handlers.delete(handler) };
    }) as unknown as CodegenTypes.EventEmitter<T>,
    emit: (event: T): void => {
      for (const handler of [...handlers]) {
        if (handlers.has(handler)) {
          handler.call(event);
        }
      }
    },
  };
}
