/**
 * Where the app finds its backend and its sign-in. `expo.extra` of the manifest wins, then `EXPO_PUBLIC_…` of the build, then
 * `npm run server` on the computer that serves the bundle.
 */
import Constants from 'expo-constants';
import { Platform } from 'react-native';

const SERVER_PORT = 8787;

/** The development computer, as this device reaches it. */
function developmentHost(): string {
  const host = Constants.expoConfig?.hostUri?.split(':')[0];
  if (host !== undefined && host !== '' && host !== 'localhost' && host !== '127.0.0.1') return host;
  return Platform.OS === 'android' ? '10.0.2.2' : '127.0.0.1';
}

function setting(name: string, fromBuild: string | undefined, otherwise: () => string): string {
  const value: unknown = Constants.expoConfig?.extra?.[name];
  if (typeof value === 'string' && value !== '') return value;
  return fromBuild !== undefined && fromBuild !== '' ? fromBuild : otherwise();
}

const development = (): string => `http://${developmentHost()}:${SERVER_PORT}`;

export const config = {
  supabaseUrl: setting('supabaseUrl', process.env.EXPO_PUBLIC_SUPABASE_URL, development),
  supabaseAnonKey: setting('supabaseAnonKey', process.env.EXPO_PUBLIC_SUPABASE_ANON_KEY, () => 'dev'),
  /** The base of `/api/powersync`. */
  mcpBaseUrl: setting('mcpBaseUrl', process.env.EXPO_PUBLIC_MCP_BASE_URL, development),
};
