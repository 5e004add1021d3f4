/** The Supabase client of the app. It renews its session while the app is in front. */
import AsyncStorage from '@react-native-async-storage/async-storage';
import { createClient } from '@supabase/supabase-js';
import { AppState, Platform } from 'react-native';
import { config } from './config';

export const supabase = createClient(config.supabaseUrl, config.supabaseAnonKey, {
  auth: { storage: AsyncStorage, persistSession: true, autoRefreshToken: true, detectSessionInUrl: false },
});

/** Renews the session in front only: timers of an app in the background are not reliable. Answers how to stop. */
export function followAppState(): () => void {
  // Browsers tell Supabase by themselves.
  if (Platform.OS === 'web') return () => {};
  const follow = (state: string): void => {
    if (state === 'active') void supabase.auth.startAutoRefresh();
    else void supabase.auth.stopAutoRefresh();
  };
  follow(AppState.currentState ?? 'active');
  const subscription = AppState.addEventListener('change', follow);
  return () => subscription.remove();
}
