/** Expo's modules, as far as an app's start needs them. Storage and network are real; what would be drawn is not. */
import { bytesOf } from '../../prelude/encoding';
import { call } from '../../prelude/native';
import { networkState } from '../turbo/appState';
import { initialUrl } from '../turbo/platform';
import { provideExpo, SharedObject, SharedRef, uuid } from './core';

const nothing = (): void => {};
const SECURE_FILE = 'secure-store.json';

/** SecureStore in a file of the storage directory. It is not encrypted: this is a phone for tests. */
function secure(): Record<string, string> {
  const there = call<boolean>('exists', { path: SECURE_FILE });
  return there ? (JSON.parse(call<string>('readText', { path: SECURE_FILE })) as Record<string, string>) : {};
}

function changeSecure(edit: (values: Record<string, string>) => void): void {
  const values = secure();
  edit(values);
  call('writeFile', { path: SECURE_FILE }, bytesOf(JSON.stringify(values)));
}

/** `manifest`: what app.json would have become on a phone, with what the test adds to `extra`. */
export function installExpoModules(manifest: object): void {
  provideExpo({
    ExpoAsset: { downloadAsync: (url: string) => Promise.resolve(url) },
    ExpoLinking: { getLinkingURL: initialUrl, clearInitialURL: nothing },
    ExpoFontLoader: { getLoadedFonts: () => [], loadAsync: () => Promise.resolve() },
    ExpoSplashScreen: {
      setOptions: nothing,
      hide: nothing,
      hideAsync: () => Promise.resolve(),
      preventAutoHideAsync: () => Promise.resolve(true),
      internalMaybeHideAsync: () => Promise.resolve(),
      internalPreventAutoHideAsync: () => Promise.resolve(true),
    },
    ExpoNetwork: {
      getNetworkStateAsync: () => Promise.resolve(networkState()),
      getIpAddressAsync: () => Promise.resolve('127.0.0.1'),
      isAirplaneModeEnabledAsync: () => Promise.resolve(false),
    },
    ExpoSystemUI: { setBackgroundColorAsync: () => Promise.resolve(), getBackgroundColorAsync: () => Promise.resolve(null) },
    ExpoKeepAwake: { activate: () => Promise.resolve(), deactivate: () => Promise.resolve() },
    ExpoCrypto: { randomUUID: uuid, getRandomBytes: (length: number) => new Uint8Array(call<ArrayBuffer>('random', { length })) },
    ExpoCryptoAES: { EncryptionKey: class EncryptionKey extends SharedObject {}, SealedData: class SealedData extends SharedObject {} },
    ExpoSecureStore: {
      getValueWithKeyAsync: (key: string) => Promise.resolve(secure()[key] ?? null),
      getValueWithKeySync: (key: string) => secure()[key] ?? null,
      setValueWithKeyAsync: (value: string, key: string) => {
        changeSecure((values) => (values[key] = value));
        return Promise.resolve();
      },
      setValueWithKeySync: (value: string, key: string) => changeSecure((values) => (values[key] = value)),
      deleteValueWithKeyAsync: (key: string) => {
        changeSecure((values) => delete values[key]);
        return Promise.resolve();
      },
      canUseBiometricAuthentication: () => false,
    },
    ExpoRouter: { Material3DynamicColor: () => null, Material3Color: () => null },
    ExpoUI: { ObservableState: class ObservableState extends SharedObject {}, WorkletCallback: class WorkletCallback extends SharedObject {} },
    ExpoImage: {
      Image: class Image extends SharedRef {},
      prefetch: () => Promise.resolve(true),
      clearMemoryCache: () => Promise.resolve(true),
      clearDiskCache: () => Promise.resolve(true),
      getCachePathAsync: () => Promise.resolve(null),
      ViewPrototypes: {},
    },
    ExpoDevice: {
      isDevice: true,
      brand: 'omnii',
      manufacturer: 'omnii',
      modelName: 'Headless phone',
      deviceType: 1,
      osName: 'Android',
      osVersion: '16',
      deviceName: 'Headless phone',
    },
    ExpoWebBrowser: { openBrowserAsync: () => Promise.resolve({ type: 'opened' }) },
    ExponentConstants: {
      executionEnvironment: 'bare',
      sessionId: uuid(),
      statusBarHeight: 24,
      deviceName: 'Headless phone',
      systemFonts: [],
      isHeadless: false,
      linkingUri: null,
      platform: { android: { versionCode: 1 } },
      manifest: JSON.stringify(manifest),
      getWebViewUserAgentAsync: () => Promise.resolve('headless'),
    },
  });
}
