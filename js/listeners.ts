/** A set of listeners in which a throwing one stops nobody else, and one that was removed is not called any more. */

/** Reports what a listener of the app threw; there is no caller to throw it at. */
export function reportListenerError(what: string, thrown: unknown): void {
  console.error(`@omnii/sync: ${what} threw`, thrown);
}

export type Listeners<Args extends readonly unknown[]> = {
  /** Adds one registration (the same function may be added twice). Answers the function that removes it. */
  add: (listener: (...args: Args) => void) => () => void;
  /** Calls those that were there when the call began and still are. */
  emit: (...args: Args) => void;
  clear: () => void;
};

/** `what` names the listeners in reports. */
export function createListeners<Args extends readonly unknown[]>(what: string): Listeners<Args> {
  const registrations = new Set<{ readonly call: (...args: Args) => void }>();
  return {
    add: (listener) => {
      const registration = { call: listener };
      registrations.add(registration);
      return () => {
        registrations.delete(registration);
      };
    },
    emit: (...args) => {
      for (const registration of [...registrations]) {
        if (!registrations.has(registration)) {
          continue;
        }
        try {
          registration.call(...args);
        } catch (thrown) {
          reportListenerError(what, thrown);
        }
      }
    },
    clear: () => {
      registrations.clear();
    },
  };
}
