/** Light or dark: as the device has it, unless the user says otherwise. */
import AsyncStorage from '@react-native-async-storage/async-storage';
import { createContext, type ReactNode, useCallback, useContext, useEffect, useMemo, useState } from 'react';
import { useColorScheme } from 'react-native';
import { type Palette, palettes } from '../theme/tokens';

export type ThemeSetting = 'system' | 'light' | 'dark';

interface Theme {
  colours: Palette;
  scheme: 'light' | 'dark';
  setting: ThemeSetting;
  setSetting: (setting: ThemeSetting) => void;
}

const STORAGE_KEY = 'theme';
const ThemeContext = createContext<Theme | null>(null);

const isSetting = (value: string | null): value is ThemeSetting => value === 'system' || value === 'light' || value === 'dark';

export function ThemeProvider({ children }: { children: ReactNode }) {
  const device = useColorScheme() === 'dark' ? 'dark' : 'light';
  const [setting, setState] = useState<ThemeSetting>('system');
  useEffect(() => {
    // A setting that cannot be read is as good as none.
    AsyncStorage.getItem(STORAGE_KEY).then((stored) => isSetting(stored) && setState(stored), () => {});
  }, []);
  const setSetting = useCallback((next: ThemeSetting) => {
    setState(next);
    AsyncStorage.setItem(STORAGE_KEY, next).catch(() => {});
  }, []);
  const scheme = setting === 'system' ? device : setting;
  const theme = useMemo(() => ({ colours: palettes[scheme], scheme, setting, setSetting }) satisfies Theme, [scheme, setting, setSetting]);
  return <ThemeContext.Provider value={theme}>{children}</ThemeContext.Provider>;
}

export function useTheme(): Theme {
  const theme = useContext(ThemeContext);
  if (!theme) throw new Error('useTheme must be used within ThemeProvider');
  return theme;
}
