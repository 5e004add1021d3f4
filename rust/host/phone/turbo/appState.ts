/** The states of the app that a test can change: in front or not, connected or not. */
import { onCommand } from '../channel';
import { emitExpoEvent } from '../expo/core';
import { emitDeviceEvent, emitter, provide, withConstants } from './registry';

let appState = 'active';
const network = { type: 'WIFI', isConnected: true, isInternetReachable: true };

export const networkState = (): object => ({ ...network });

export function installAppState(): void {
  provide({
    AppState: withConstants(
      { initialAppState: appState },
      { ...emitter, getCurrentAppState: (callback: (state: object) => void) => callback({ app_state: appState }) },
    ),
  });
  onCommand('setAppState', ({ state }) => {
    if (appState === state) return;
    appState = String(state);
    emitDeviceEvent('appStateDidChange', { app_state: appState });
    emitDeviceEvent('appStateFocusChange', appState === 'active');
  });
  onCommand('setOnline', ({ online, type }) => {
    network.isConnected = online === true;
    network.isInternetReachable = online === true;
    network.type = online === true ? typeof type === 'string' ? type : 'WIFI' : 'NONE';
    emitExpoEvent('ExpoNetwork', 'onNetworkStateChanged', networkState());
  });
}
