/** A text input with its label. */
import { useState } from 'react';
import { StyleSheet, TextInput, type TextInputProps, View } from 'react-native';
import { useTheme } from '../context/ThemeContext';
import { radius, space, TOUCH, type } from '../theme/tokens';
import { AppText } from './text';

/** `isLabelHidden`: the label is for screen readers only, because a placeholder says as much. */
export function Field({ label, isLabelHidden = false, style, onFocus, onBlur, ...input }: TextInputProps & { label: string; isLabelHidden?: boolean }) {
  const { colours, scheme } = useTheme();
  const [isFocused, setFocused] = useState(false);
  return (
    <View style={styles.field}>
      {!isLabelHidden && (
        <AppText kind="small" tone="muted">
          {label}
        </AppText>
      )}
      <TextInput
        accessibilityLabel={label}
        placeholderTextColor={colours.muted}
        keyboardAppearance={scheme}
        {...input}
        onFocus={(event) => {
          setFocused(true);
          onFocus?.(event);
        }}
        onBlur={(event) => {
          setFocused(false);
          onBlur?.(event);
        }}
        style={[
          styles.input,
          { backgroundColor: colours.surface, borderColor: colours.border, color: colours.text, outlineColor: colours.accent },
          isFocused && { borderColor: colours.accent, outlineWidth: 1 },
          style,
        ]}
      />
    </View>
  );
}

const styles = StyleSheet.create({
  field: { gap: space.xs },
  input: { minHeight: TOUCH + 4, borderWidth: 1, borderRadius: radius.m, paddingHorizontal: space.m, paddingVertical: space.s, ...type.body, lineHeight: undefined, outlineStyle: 'solid', outlineWidth: 0 },
});
