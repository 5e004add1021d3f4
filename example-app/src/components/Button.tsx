/** Buttons: one main action, quiet others, and those that destroy something, which ask once more in their place. */
import { useState } from 'react';
import { Pressable, StyleSheet, View, type ViewStyle } from 'react-native';
import { useTheme } from '../context/ThemeContext';
import { radius, space, TOUCH } from '../theme/tokens';
import { AppText } from './text';

export interface ButtonProps {
  title: string;
  onPress: () => void;
  kind?: 'primary' | 'quiet' | 'danger';
  disabled?: boolean;
  testID?: string;
  /** What a screen reader says; the title if there is nothing to add. */
  accessibilityLabel?: string;
  style?: ViewStyle;
}

export function Button({ title, onPress, kind = 'quiet', disabled = false, testID, accessibilityLabel, style }: ButtonProps) {
  const { colours } = useTheme();
  const background = { primary: colours.accent, quiet: colours.sunken, danger: colours.dangerSoft }[kind];
  const tone = ({ primary: 'onAccent', quiet: 'text', danger: 'danger' } as const)[kind];
  return (
    <Pressable
      accessibilityRole="button"
      accessibilityLabel={accessibilityLabel ?? title}
      accessibilityState={{ disabled }}
      disabled={disabled}
      onPress={onPress}
      testID={testID}
      style={({ pressed }) => [styles.button, { backgroundColor: background, opacity: disabled ? 0.5 : pressed ? 0.75 : 1 }, style]}
    >
      <AppText kind="small" tone={tone} style={styles.title} numberOfLines={1}>
        {title}
      </AppText>
    </Pressable>
  );
}

/** Asks in its own place before it does something that cannot be undone. `<testID>-confirm` goes on. */
export function ConfirmButton({ question, confirmTitle, onPress, ...rest }: ButtonProps & { question: string; confirmTitle: string }) {
  const [isAsking, setAsking] = useState(false);
  if (!isAsking) return <Button {...rest} onPress={() => setAsking(true)} />;
  return (
    <View style={styles.question} accessibilityLiveRegion="polite">
      <AppText kind="small" tone="muted">
        {question}
      </AppText>
      <View style={styles.row}>
        <Button title="Cancel" onPress={() => setAsking(false)} style={styles.half} testID={rest.testID && `${rest.testID}-cancel`} />
        <Button
          title={confirmTitle}
          kind="danger"
          style={styles.half}
          testID={rest.testID && `${rest.testID}-confirm`}
          onPress={() => {
            setAsking(false);
            onPress();
          }}
        />
      </View>
    </View>
  );
}

const styles = StyleSheet.create({
  button: { minHeight: TOUCH, borderRadius: radius.m, paddingHorizontal: space.l, alignItems: 'center', justifyContent: 'center' },
  title: { fontWeight: '600' },
  question: { gap: space.s },
  row: { flexDirection: 'row', gap: space.s },
  half: { flex: 1 },
});
