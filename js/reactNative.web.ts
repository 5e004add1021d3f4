/**
 * reactNative.ts for the web and for servers: there is no database to suspend, so there is nothing to listen to but the stand-in
 * of `@omnii/sync/jest/react-native`.
 */
import type * as reactNative from './reactNative';

type StandIn = { AppState?: ReturnType<typeof reactNative.appState>; Platform?: { OS: string } };

const standIn = (): StandIn | undefined =>
  (globalThis as Record<symbol, unknown>)[Symbol.for('@omnii/sync/react-native')] as StandIn | undefined;

export const appState: typeof reactNative.appState = () => standIn()?.AppState;

export const systemName: typeof reactNative.systemName = () => standIn()?.Platform?.OS;
