/**
 * What `SyncProvider` listens to besides its props: the app's way between foreground and background, and the network. Where
 * the platform is not supported nobody is listening: there is no database to tell.
 */
import { useEffect } from 'react';
import { watchDevice } from './connectivity';
import { reportListenerError } from './listeners';
import { isSupported } from './platform';
import type { ProviderStore } from './providerStore';
import { appState, systemName } from './reactNative';

/** Registers with something that tells when the device is on a network again; answers what ends that. */
export type SubscribeToNetwork = (onRegained: () => void) => () => void;

/**
 * Syncs when the app comes to the foreground. On iOS, lets the file go in the background, also when the process was
 * launched there: iOS ends apps that hold file locks while they are suspended. Elsewhere the app goes on in the background, and
 * polls become rare.
 */
export function useAppState(store: ProviderStore): void {
  useEffect(() => {
    if (!isSupported()) {
      return undefined;
    }
    const suspendIfNeeded = (state: string | null | undefined): void => {
      if (state !== 'background') {
        return;
      }
      if (systemName() === 'ios') {
        store.suspend();
      } else {
        store.notify('background');
      }
    };
    const states = appState();
    suspendIfNeeded(states?.currentState);
    const subscription = states?.addEventListener('change', (next) => {
      if (next === 'active') {
        store.foreground();
      } else {
        // Passing through `inactive` (a call, the app switcher) is no reason: the app still runs.
        suspendIfNeeded(next);
      }
    });
    return () => {
      subscription?.remove();
    };
  }, [store]);
}

/** Listens to the device's network and battery where the app has the packages for it; see connectivity.ts. */
export function useDevice(store: ProviderStore): void {
  useEffect(() => (isSupported() ? watchDevice(store.notify) : undefined), [store]);
}

/** Listens to the first function given, for as long as there is one: functions made inline must not register at each render. */
export function useNetwork(store: ProviderStore, subscribe: SubscribeToNetwork | undefined): void {
  const isGiven = typeof subscribe === 'function' && isSupported();
  useEffect(() => {
    let unsubscribe: unknown;
    try {
      unsubscribe = isGiven ? subscribe(store.networkRegained) : undefined;
    } catch (thrown) {
      reportListenerError('subscribeToNetwork', thrown);
    }
    return () => {
      if (typeof unsubscribe === 'function') {
        (unsubscribe as () => void)();
      }
    };
  }, [store, isGiven]);
}
