import { AuthProvider } from '../context/AuthContext';
import { ProfileProvider } from '../context/ProfileContext';
import { ThemeProvider } from '../context/ThemeContext';
import { XPProvider } from '../context/XPContext';
import { ThemedStack } from '../components/ThemedStack';
import { SyncProvider } from '../lib/sync/SyncProvider';

export default function RootLayout() {
  return (
    <AuthProvider>
      <SyncProvider>
        <XPProvider>
          <ProfileProvider>
            <ThemeProvider>
              <ThemedStack />
            </ThemeProvider>
          </ProfileProvider>
        </XPProvider>
      </SyncProvider>
    </AuthProvider>
  );
}
