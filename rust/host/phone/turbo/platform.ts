/** What React Native asks of the platform when it starts: constants, appearance, accessibility, and modules that do nothing here. */
import { WINDOW } from '../fabric';
import { exceptionsManager } from '../failures';
import { onCommand, tell } from '../channel';
import { elapsed } from '../clock';
import { schedule } from '../scheduler';
import { emitDeviceEvent, emitter, provide, withConstants } from './registry';

const IDLE = 5;
const physical = {
  width: WINDOW.width * WINDOW.scale,
  height: WINDOW.height * WINDOW.scale,
  scale: WINDOW.scale,
  fontScale: WINDOW.fontScale,
  densityDpi: WINDOW.scale * 160,
};
const nothing = (): void => {};

let colorScheme = 'light';

const linking = { initialUrl: null as string | null };

/** The link the app is started with. */
export function startWithUrl(url: string | null): void {
  linking.initialUrl = url;
}

export const initialUrl = (): string | null => linking.initialUrl;

export function installPlatform(reactNativeVersion: object): void {
  provide({
    PlatformConstants: withConstants(
      {
        isTesting: false,
        isDisableAnimations: true,
        Version: 36,
        Release: '16',
        Serial: 'headless',
        Fingerprint: 'headless',
        Model: 'Headless phone',
        Brand: 'omnii',
        Manufacturer: 'omnii',
        uiMode: 'normal',
        ServerHost: '',
        reactNativeVersion,
      },
      { getAndroidID: () => 'headless' },
    ),
    DeviceInfo: withConstants({ isEdgeToEdge: true, Dimensions: { windowPhysicalPixels: physical, screenPhysicalPixels: physical } }),
    SourceCode: withConstants({ scriptURL: 'file:///phone/index.android.bundle' }),
    Appearance: {
      ...emitter,
      getColorScheme: () => colorScheme,
      setColorScheme: (scheme: string) => changeColorScheme(scheme),
    },
    ExceptionsManager: exceptionsManager,
    // Every flag has its default of JavaScript.
    NativeReactNativeFeatureFlagsCxx: {},
    NativeMicrotasksCxx: { queueMicrotask: (callback: () => void) => void Promise.resolve().then(callback) },
    NativeIdleCallbacksCxx: {
      requestIdleCallback: (callback: (deadline: object) => void) =>
        schedule(IDLE, () => {
          const began = elapsed();
          callback({ didTimeout: false, timeRemaining: () => Math.max(0, 50 - (elapsed() - began)) });
          return undefined;
        }),
      cancelIdleCallback: (task: { callback: unknown } | undefined) => {
        if (task) task.callback = null;
      },
    },
    DeviceEventManager: { invokeDefaultBackPressHandler: () => tell('left') },
    I18nManager: withConstants(
      { isRTL: false, doLeftAndRightSwapInRTL: true, localeIdentifier: 'en_US' },
      { allowRTL: nothing, forceRTL: nothing, swapLeftAndRightInRTL: nothing },
    ),
    StatusBarManager: withConstants(
      { HEIGHT: 24, DEFAULT_BACKGROUND_COLOR: 0 },
      { setColor: nothing, setTranslucent: nothing, setStyle: nothing, setHidden: nothing },
    ),
    AccessibilityInfo: {
      isReduceMotionEnabled: answer(false),
      isInvertColorsEnabled: answer(false),
      isHighTextContrastEnabled: answer(false),
      isGrayscaleEnabled: answer(false),
      isTouchExplorationEnabled: answer(false),
      isAccessibilityServiceEnabled: answer(false),
      setAccessibilityFocus: nothing,
      announceForAccessibility: nothing,
      getRecommendedTimeoutMillis: (ms: number, callback: (ms: number) => void) => callback(ms),
    },
    IntentAndroid: {
      getInitialURL: () => Promise.resolve(linking.initialUrl),
      canOpenURL: () => Promise.resolve(false),
      openURL: (url: string) => {
        tell('openUrl', { url });
        return Promise.resolve();
      },
      openSettings: () => Promise.resolve(),
      sendIntent: () => Promise.resolve(),
    },
    SoundManager: { playTouchSound: nothing },
    KeyboardObserver: emitter,
    ImageLoader: withConstants(
      {},
      {
        getSize: () => Promise.resolve({ width: 1, height: 1 }),
        getSizeWithHeaders: () => Promise.resolve({ width: 1, height: 1 }),
        prefetchImage: () => Promise.resolve(true),
        queryCache: () => Promise.resolve({}),
        abortRequest: nothing,
      },
    ),
    RNCSafeAreaContext: withConstants({ initialWindowMetrics: safeArea() }),
    RNSModule: {},
    UIManager: withConstants({}),
    Vibration: { vibrate: nothing, vibrateByPattern: nothing, cancel: nothing },
    ToastAndroid: withConstants({ SHORT: 0, LONG: 1 }, { show: nothing, showWithGravity: nothing, showWithGravityAndOffset: nothing }),
    DialogManagerAndroid: withConstants(
      { buttonClicked: 'buttonClicked', dismissed: 'dismissed', buttonPositive: -1, buttonNegative: -2, buttonNeutral: -3 },
      { showAlert: (alert: object) => tell('alert', alert) },
    ),
  });
  onCommand('setColorScheme', ({ scheme }) => changeColorScheme(String(scheme)));
  onCommand('deepLink', ({ url }) => emitDeviceEvent('url', { url }));
  onCommand('back', () => emitDeviceEvent('hardwareBackPress', null));
}

function changeColorScheme(scheme: string): void {
  colorScheme = scheme === 'dark' ? 'dark' : 'light';
  emitDeviceEvent('appearanceChanged', { colorScheme });
}

function answer(value: boolean) {
  return (callback: (value: boolean) => void): void => callback(value);
}

/** Insets of a phone with a status bar and a gesture bar. */
export function safeArea(): { insets: object; frame: object } {
  return {
    insets: { top: 24, right: 0, bottom: 16, left: 0 },
    frame: { x: 0, y: 0, width: WINDOW.width, height: WINDOW.height },
  };
}
