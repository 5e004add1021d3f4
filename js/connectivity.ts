/**
 * What the device tells of its network and battery, without the app writing a line: from `@react-native-community/netinfo` or
 * `expo-network`, and from `expo-battery`, where the app has installed them (deviceModules.ts). Without them there is nothing to
 * tell, and timers and errors do.
 *
 * In unit tests of apps these packages are often mocks that answer nothing, neither a state nor a subscription: then there is
 * nothing to tell, either.
 *
 * Tells only what has changed; the device is taken to be on a free network with a good battery until it says otherwise.
 */
import { type DeviceModules, type NetworkState, type PowerState, requireModules, type Subscription } from './deviceModules';
import { reportListenerError } from './listeners';

export type { ExpoBatteryModule, ExpoNetworkModule, NetInfoModule } from './deviceModules';

/** What can be told; each pair is one switch. */
export type DeviceEvent = 'networkLost' | 'networkRegained' | 'metered' | 'unmetered' | 'batteryLow' | 'batteryOk';

/** `BatteryState.UNPLUGGED` of expo-battery. */
const unplugged = 1;
/** At or below this an unplugged battery is low; the system's own power saving counts, too. */
const lowLevel = 0.15;

/** Set by `@omnii/sync/jest`. */
export const fakeDevice = Symbol.for('@omnii/sync/fake-device');

/**
 * What the app has installed; nothing where the fake of the native module is loaded (`@omnii/sync/jest`): there
 * `syncFake.setOnline` is the network, and what jest makes of these packages would contradict it.
 */
export function installedModules(): DeviceModules {
  if ((globalThis as Record<symbol, unknown>)[fakeDevice] === true) {
    return {};
  }
  return requireModules();
}

/** Answers a function that tells when its switch is thrown. */
function createSwitch(tell: (event: DeviceEvent) => void, on: DeviceEvent, off: DeviceEvent): (is: boolean) => void {
  let last = false;
  return (is) => {
    if (is !== last) {
      last = is;
      tell(is ? on : off);
    }
  };
}

function isLow(power: PowerState): boolean {
  const { batteryLevel: level = -1, batteryState, lowPowerMode } = power;
  return lowPowerMode === true || (level >= 0 && level <= lowLevel && batteryState === unplugged);
}

/** Tells from now on, soon also how things are. Answers what ends that. A module that throws is reported and left alone. */
export function watchDevice(tell: (event: DeviceEvent) => void, modules: DeviceModules = installedModules()): () => void {
  let ended = false;
  const removals: (() => void)[] = [];
  const lost = createSwitch(tell, 'networkLost', 'networkRegained');
  const metered = createSwitch(tell, 'metered', 'unmetered');
  const low = createSwitch(tell, 'batteryLow', 'batteryOk');
  const guarded = (source: string, register: () => void): void => {
    try {
      register();
    } catch (thrown) {
      reportListenerError(source, thrown);
    }
  };
  const unsubscribe = (source: string, subscription: Subscription): void => {
    removals.push(() => {
      guarded(source, () => subscription?.remove?.());
    });
  };
  const first = <T>(source: string, asked: Promise<T> | undefined, use: (value: T) => void): void => {
    asked?.then(
      (value) => {
        if (!ended) {
          use(value);
        }
      },
      (thrown: unknown) => {
        reportListenerError(source, thrown);
      }
    );
  };

  const { netInfo, expoNetwork, expoBattery } = modules;
  if (netInfo !== undefined) {
    guarded('netinfo', () => {
      const remove = netInfo.addEventListener(({ isConnected, details }) => {
        // null: not known yet
        lost(isConnected === false);
        metered(details?.isConnectionExpensive === true);
      });
      unsubscribe('netinfo', typeof remove === 'function' ? { remove } : undefined);
    });
  } else if (expoNetwork !== undefined) {
    guarded('expo-network', () => {
      const use = (state: NetworkState): void => {
        lost(state?.isConnected === false);
      };
      unsubscribe('expo-network', expoNetwork.addNetworkStateListener(use));
      first('expo-network', expoNetwork.getNetworkStateAsync(), use);
    });
  }
  if (expoBattery !== undefined) {
    guarded('expo-battery', () => {
      let power: PowerState = {};
      const use = (change: PowerState | undefined): void => {
        power = { ...power, ...change };
        low(isLow(power));
      };
      for (const subscription of [
        expoBattery.addBatteryLevelListener(use),
        expoBattery.addBatteryStateListener(use),
        expoBattery.addLowPowerModeListener(use),
      ]) {
        unsubscribe('expo-battery', subscription);
      }
      first('expo-battery', expoBattery.getPowerStateAsync(), use);
    });
  }
  return () => {
    ended = true;
    for (const remove of removals) {
      remove();
    }
  };
}
