/** Texts in the app's type and colours. */
import { Text, type TextProps } from 'react-native';
import { useTheme } from '../context/ThemeContext';
import { type } from '../theme/tokens';

export interface StyledTextProps extends TextProps {
  kind?: keyof typeof type;
  tone?: 'text' | 'muted' | 'accent' | 'onAccent' | 'success' | 'warning' | 'danger';
}

export function AppText({ kind = 'body', tone = 'text', style, ...rest }: StyledTextProps) {
  const { colours } = useTheme();
  const isHeading = kind === 'title' || kind === 'heading';
  return <Text {...(isHeading ? { accessibilityRole: 'header' as const } : {})} {...rest} style={[type[kind], { color: colours[tone] }, style]} />;
}
