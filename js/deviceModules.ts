/**
 * The packages that tell of network and battery, by shape, and the asking for them. Each `require` stands in a `try` of its own:
 * Metro takes a module that is required there for optional. On the web, where nothing listens, nothing is asked for
 * (`deviceModules.web.ts`), so that bundles there do not hold them.
 */

/** What a listener answers; nothing at all if the package is a mock. */
export type Subscription = { remove?: () => void } | undefined;
export type NetworkState = { isConnected?: boolean } | undefined;

/** The part of `@react-native-community/netinfo` that is used. */
export type NetInfoModule = {
  addEventListener: (
    listener: (state: { isConnected: boolean | null; details?: { isConnectionExpensive?: boolean } | null }) => void
  ) => (() => void) | undefined;
};

/** The part of `expo-network` that is used. It does not say what a connection costs. */
export type ExpoNetworkModule = {
  addNetworkStateListener: (listener: (state: NetworkState) => void) => Subscription;
  getNetworkStateAsync: () => Promise<NetworkState> | undefined;
};

export type PowerState = { batteryLevel?: number; batteryState?: number; lowPowerMode?: boolean };

/** The part of `expo-battery` that is used. */
export type ExpoBatteryModule = {
  getPowerStateAsync: () => Promise<PowerState | undefined> | undefined;
  addBatteryLevelListener: (listener: (state: PowerState) => void) => Subscription;
  addBatteryStateListener: (listener: (state: PowerState) => void) => Subscription;
  addLowPowerModeListener: (listener: (state: PowerState) => void) => Subscription;
};

export type DeviceModules = {
  netInfo?: NetInfoModule | undefined;
  expoNetwork?: ExpoNetworkModule | undefined;
  expoBattery?: ExpoBatteryModule | undefined;
};

declare const require: (name: string) => unknown;

/** The module itself or its default export, if it has what is needed. A package whose native part is missing throws or lacks it. */
function usable<T>(loaded: unknown, method: keyof T): T | undefined {
  const module = loaded as (T & { default?: T }) | null | undefined;
  return [module, module?.default].find((candidate) => typeof candidate?.[method] === 'function') ?? undefined;
}

/** What the app has installed. */
export function requireModules(): DeviceModules {
  const modules: DeviceModules = {};
  try {
    modules.netInfo = usable<NetInfoModule>(require('@react-native-community/netinfo'), 'addEventListener');
  } catch {
    // not installed
  }
  if (modules.netInfo === undefined) {
    try {
      modules.expoNetwork = usable<ExpoNetworkModule>(require('expo-network'), 'addNetworkStateListener');
    } catch {
      // not installed
    }
  }
  try {
    modules.expoBattery = usable<ExpoBatteryModule>(require('expo-battery'), 'getPowerStateAsync');
  } catch {
    // not installed
  }
  return modules;
}
