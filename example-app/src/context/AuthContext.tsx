/**
 * Who is signed in. The account is remembered apart from Supabase's session: an access token that expired while the device was
 * offline signs nobody out, local work goes on. Only signing out, or a session that the server has ended, does.
 */
import AsyncStorage from '@react-native-async-storage/async-storage';
import { createContext, type ReactNode, useContext, useEffect, useMemo, useState } from 'react';
import { followAppState, supabase } from '../lib/supabase';

export interface Account {
  id: string;
  email: string;
}

interface Auth {
  /** Undefined until the device has been asked. */
  account: Account | null | undefined;
  /** Both answer a sentence for the user, or null if all is well. */
  signIn: (email: string, password: string) => Promise<string | null>;
  signUp: (email: string, password: string) => Promise<string | null>;
  signOut: () => Promise<void>;
}

const STORAGE_KEY = 'account';
const AuthContext = createContext<Auth | null>(null);

async function storedAccount(): Promise<Account | null> {
  const text = await AsyncStorage.getItem(STORAGE_KEY);
  return text === null ? null : (JSON.parse(text) as Account);
}

export function AuthProvider({ children }: { children: ReactNode }) {
  const [account, setAccount] = useState<Account | null | undefined>(undefined);

  useEffect(() => {
    storedAccount().then(
      (stored) => setAccount((now) => (now === undefined ? stored : now)),
      () => setAccount((now) => now ?? null),
    );
    const { data } = supabase.auth.onAuthStateChange((event, session) => {
      if (session?.user) remember({ id: session.user.id, email: session.user.email ?? '' });
      else if (event === 'SIGNED_OUT') remember(null);
    });
    const remember = (next: Account | null): void => {
      setAccount((now) => (now?.id === next?.id && now?.email === next?.email && now !== undefined ? now : next));
      (next ? AsyncStorage.setItem(STORAGE_KEY, JSON.stringify(next)) : AsyncStorage.removeItem(STORAGE_KEY)).catch(() => {});
    };
    const stopFollowing = followAppState();
    return () => {
      data.subscription.unsubscribe();
      stopFollowing();
    };
  }, []);

  const auth = useMemo<Auth>(
    () => ({
      account,
      signIn: async (email, password) => {
        const { error } = await supabase.auth.signInWithPassword({ email, password });
        return error && sentence(error);
      },
      signUp: async (email, password) => {
        const { data, error } = await supabase.auth.signUp({ email, password });
        if (error) return sentence(error);
        return data.session ? null : 'Almost there: confirm the address with the link we have sent you, then sign in.';
      },
      signOut: async () => {
        // On this device only: other devices stay signed in. Without a network the session is forgotten all the same.
        const { error } = await supabase.auth.signOut({ scope: 'local' });
        if (error) await forgetSession();
        setAccount(null);
      },
    }),
    [account],
  );
  return <AuthContext.Provider value={auth}>{children}</AuthContext.Provider>;
}

/** What Supabase keeps under its own key, and the account. */
async function forgetSession(): Promise<void> {
  const keys = await AsyncStorage.getAllKeys();
  await AsyncStorage.multiRemove([STORAGE_KEY, ...keys.filter((key) => /^sb-.*-auth-token/.test(key))]);
}

function sentence(error: { name: string; message: string }): string {
  if (error.name === 'AuthRetryableFetchError') return 'The server cannot be reached. Check your connection and try again.';
  return error.message === '' ? 'That did not work. Try again.' : error.message;
}

export function useAuth(): Auth {
  const auth = useContext(AuthContext);
  if (!auth) throw new Error('useAuth must be used within AuthProvider');
  return auth;
}
