/**
 * What is asked of React Native itself, besides the registry of native modules (NativeOmniiSync.ts). Outside of React Native
 * bundlers and Node take `reactNative.web.ts`, so neither a web app nor a server needs React Native or a stand-in for it.
 */
import { AppState, Platform } from 'react-native';

/** The app's way between foreground and background; undefined on hosts that have none. */
export function appState(): typeof AppState | undefined {
  return AppState;
}

/** 'ios', 'android', …; undefined on hosts that do not say. */
export function systemName(): string | undefined {
  return (Platform as typeof Platform | undefined)?.OS;
}
