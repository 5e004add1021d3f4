import { useState } from 'react';
import { KeyboardAvoidingView, Platform, ScrollView, StyleSheet, View } from 'react-native';
import { useSafeAreaInsets } from 'react-native-safe-area-context';
import { Button } from '../components/Button';
import { Field } from '../components/Field';
import { Notice } from '../components/layout';
import { AppText } from '../components/text';
import { useAuth } from '../context/AuthContext';
import { useTheme } from '../context/ThemeContext';
import { space } from '../theme/tokens';

/** Sign in, or sign up: one form. */
export default function SignInScreen() {
  const { colours } = useTheme();
  const insets = useSafeAreaInsets();
  const { signIn, signUp } = useAuth();
  const [isNew, setNew] = useState(false);
  const [email, setEmail] = useState('');
  const [password, setPassword] = useState('');
  const [problem, setProblem] = useState<string | null>(null);
  const [isBusy, setBusy] = useState(false);

  const submit = async (): Promise<void> => {
    if (email.trim() === '' || password === '') {
      setProblem('Enter your email address and a password.');
      return;
    }
    setProblem(null);
    setBusy(true);
    try {
      setProblem(await (isNew ? signUp : signIn)(email.trim(), password));
    } catch (error) {
      setProblem(error instanceof Error ? error.message : String(error));
    } finally {
      setBusy(false);
    }
  };

  return (
    <KeyboardAvoidingView behavior={Platform.OS === 'ios' ? 'padding' : undefined} style={[styles.fill, { backgroundColor: colours.background }]}>
      <ScrollView
        contentContainerStyle={[styles.content, { paddingTop: insets.top + space.xxl, paddingBottom: insets.bottom + space.xl }]}
        keyboardShouldPersistTaps="handled"
      >
        <View style={styles.column}>
          <AppText kind="title">{isNew ? 'Create an account' : 'Welcome back'}</AppText>
          <AppText tone="muted">Your data lives on this device, and follows you to the next.</AppText>
          <Field
            label="Email"
            testID="sign-in-email"
            value={email}
            onChangeText={setEmail}
            autoCapitalize="none"
            autoComplete="email"
            autoCorrect={false}
            keyboardType="email-address"
            placeholder="you@example.com"
          />
          <Field
            label="Password"
            testID="sign-in-password"
            value={password}
            onChangeText={setPassword}
            secureTextEntry
            autoCapitalize="none"
            autoComplete={isNew ? 'new-password' : 'current-password'}
            onSubmitEditing={() => void submit()}
          />
          {problem !== null && (
            <View>
              <Notice tone="danger" title={isNew ? 'No account yet' : 'Not signed in'} text={problem} testID="sign-in-error" />
            </View>
          )}
          <Button title={isNew ? 'Sign up' : 'Sign in'} kind="primary" testID="sign-in-submit" disabled={isBusy} onPress={() => void submit()} />
          <Button
            title={isNew ? 'I have an account' : 'Create an account'}
            testID="sign-in-toggle"
            onPress={() => {
              setNew((before) => !before);
              setProblem(null);
            }}
          />
        </View>
      </ScrollView>
    </KeyboardAvoidingView>
  );
}

const styles = StyleSheet.create({
  fill: { flex: 1 },
  content: { flexGrow: 1, alignItems: 'center', paddingHorizontal: space.xl, justifyContent: 'center' },
  column: { width: '100%', maxWidth: 420, gap: space.l },
});
