/** The listeners of one watched query, and who wants to know how many there are. */
import { reportListenerError } from '../listeners';
import type { ListenerCounts, ListenerMeta } from './types';

export type Observers<Listener extends object> = {
  add: (listener: Listener) => () => void;
  /** Calls that callback of every listener that has it; one that throws or rejects is reported. */
  tell: (name: keyof Listener & string, ...args: readonly unknown[]) => void;
  meta: ListenerMeta<Listener>;
  clear: () => void;
};

export function createObservers<Listener extends object>(): Observers<Listener> {
  const registrations = new Set<{ readonly listener: Listener }>();
  const metaListeners = new Set<{ readonly listenersChanged?: ((counts: ListenerCounts<Listener>) => void) | undefined }>();
  let counts = { total: 0 } as ListenerCounts<Listener>;

  const report = (name: string, thrown: unknown): void => {
    reportListenerError(`${name} of a watched query`, thrown);
  };
  const count = (): void => {
    const next: Record<string, number> = { total: registrations.size };
    for (const { listener } of registrations) {
      for (const name in listener) {
        if (typeof listener[name] === 'function') {
          next[name] = (next[name] ?? 0) + 1;
        }
      }
    }
    counts = next as ListenerCounts<Listener>;
    for (const each of [...metaListeners]) {
      try {
        each.listenersChanged?.(counts);
      } catch (thrown) {
        report('listenersChanged', thrown);
      }
    }
  };

  return {
    add: (listener) => {
      const registration = { listener };
      registrations.add(registration);
      count();
      return () => {
        if (registrations.delete(registration)) {
          count();
        }
      };
    },
    tell: (name, ...args) => {
      for (const registration of [...registrations]) {
        const { listener } = registration;
        const callback = listener[name];
        if (typeof callback === 'function' && registrations.has(registration)) {
          try {
            const answer: unknown = Reflect.apply(callback, listener, args);
            if (answer instanceof Promise) {
              answer.catch((thrown: unknown) => {
                report(name, thrown);
              });
            }
          } catch (thrown) {
            report(name, thrown);
          }
        }
      }
    },
    meta: {
      get counts() {
        return counts;
      },
      registerListener: (listener) => {
        const registration = { ...listener };
        metaListeners.add(registration);
        return () => {
          metaListeners.delete(registration);
        };
      },
    },
    clear: () => {
      registrations.clear();
      metaListeners.clear();
      counts = { total: 0 };
    },
  };
}
