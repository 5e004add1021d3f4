/** The screens, in the colours of the theme. Which of them there are depends on who is signed in. */
import { Stack } from 'expo-router';
import { StatusBar } from 'expo-status-bar';
import { View } from 'react-native';
import { useAuth } from '../context/AuthContext';
import { useTheme } from '../context/ThemeContext';

export function ThemedStack() {
  const { account } = useAuth();
  const { colours, scheme } = useTheme();
  // The device is being asked who is signed in: a moment without anything, so that nothing flashes by.
  if (account === undefined) return <View style={{ flex: 1, backgroundColor: colours.background }} />;
  return (
    <>
      <StatusBar style={scheme === 'dark' ? 'light' : 'dark'} />
      <Stack screenOptions={{ headerShown: false, contentStyle: { backgroundColor: colours.background } }}>
        <Stack.Protected guard={account !== null}>
          <Stack.Screen name="(tabs)" />
          <Stack.Screen name="entity/[id]" />
          <Stack.Screen name="entity/new" options={{ presentation: 'modal' }} />
          <Stack.Screen name="entity/edit/[id]" options={{ presentation: 'modal' }} />
        </Stack.Protected>
        <Stack.Protected guard={account === null}>
          <Stack.Screen name="sign-in" />
        </Stack.Protected>
      </Stack>
    </>
  );
}
