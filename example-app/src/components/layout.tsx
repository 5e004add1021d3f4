/** What screens are made of: the page with its title, cards, rows with a label, and the states in which there is nothing to show. */
import { useRouter } from 'expo-router';
import type { ReactNode } from 'react';
import { Pressable, ScrollView, StyleSheet, View } from 'react-native';
import { useSafeAreaInsets } from 'react-native-safe-area-context';
import { useTheme } from '../context/ThemeContext';
import { radius, space, TOUCH } from '../theme/tokens';
import { AppText } from './text';

interface PageProps {
  title: string;
  /** At the right of the title. */
  trailing?: ReactNode;
  /** Shows a way back; `Close` for what lies above another screen. */
  back?: 'Back' | 'Close';
  /** The page scrolls as a whole; lists scroll themselves. */
  scrolls?: boolean;
  children: ReactNode;
}

/** Wide screens get a column that can still be read. */
const MAX_WIDTH = 720;

export function Page({ title, trailing, back, scrolls = false, children }: PageProps) {
  const { colours } = useTheme();
  const insets = useSafeAreaInsets();
  const router = useRouter();
  const goBack = (): void => (router.canGoBack() ? router.back() : router.replace('/'));
  return (
    <View style={[styles.page, { backgroundColor: colours.background, paddingTop: insets.top + space.s }]}>
      <View style={styles.column}>
        {back !== undefined && (
          <Pressable accessibilityRole="button" accessibilityLabel={back} testID="page-back" onPress={goBack} style={styles.back} hitSlop={8}>
            <AppText kind="small" tone="accent" style={styles.backText}>
              {back === 'Back' ? '‹ Back' : 'Close'}
            </AppText>
          </Pressable>
        )}
        <View style={styles.header}>
          <AppText kind="title" style={styles.title} numberOfLines={1}>
            {title}
          </AppText>
          {trailing}
        </View>
        {scrolls ? (
          <ScrollView
            style={styles.fill}
            contentContainerStyle={[styles.content, { paddingBottom: insets.bottom + space.xxl }]}
            keyboardShouldPersistTaps="handled"
          >
            {children}
          </ScrollView>
        ) : (
          <View style={styles.fill}>{children}</View>
        )}
      </View>
    </View>
  );
}

export function Card({ title, children, testID }: { title?: string; children: ReactNode; testID?: string }) {
  const { colours } = useTheme();
  return (
    <View testID={testID} style={[styles.card, { backgroundColor: colours.surface, borderColor: colours.border }]}>
      {title !== undefined && <AppText kind="heading">{title}</AppText>}
      {children}
    </View>
  );
}

/** A label and its value, as one thing for screen readers. */
export function Fact({ label, value, testID }: { label: string; value: string; testID?: string }) {
  return (
    <View style={styles.fact} accessible accessibilityLabel={`${label}: ${value}`}>
      <AppText kind="small" tone="muted">
        {label}
      </AppText>
      <AppText kind="small" testID={testID} style={styles.factValue}>
        {value}
      </AppText>
    </View>
  );
}

export function EmptyState({ title, hint, children, testID }: { title: string; hint: string; children?: ReactNode; testID?: string }) {
  return (
    <View style={styles.empty} testID={testID}>
      <AppText kind="heading" style={styles.centred}>
        {title}
      </AppText>
      <AppText kind="small" tone="muted" style={styles.centred}>
        {hint}
      </AppText>
      {children}
    </View>
  );
}

export function Notice({ title, text, tone, testID }: { title: string; text: string; tone: 'warning' | 'danger'; testID?: string }) {
  const { colours } = useTheme();
  return (
    <View
      testID={testID}
      accessibilityRole="alert"
      style={[styles.notice, { borderColor: colours[tone], backgroundColor: tone === 'danger' ? colours.dangerSoft : colours.surface }]}
    >
      <AppText kind="small" tone={tone} style={styles.noticeTitle}>
        {title}
      </AppText>
      <AppText kind="small">{text}</AppText>
    </View>
  );
}

const styles = StyleSheet.create({
  page: { flex: 1, alignItems: 'center' },
  column: { flex: 1, width: '100%', maxWidth: MAX_WIDTH },
  back: { minHeight: TOUCH, paddingHorizontal: space.l, justifyContent: 'center', alignSelf: 'flex-start' },
  backText: { fontWeight: '600' },
  header: { flexDirection: 'row', alignItems: 'center', gap: space.m, paddingHorizontal: space.l, minHeight: TOUCH, marginBottom: space.s },
  title: { flex: 1 },
  fill: { flex: 1 },
  content: { padding: space.l, paddingTop: space.s, gap: space.l },
  card: { borderRadius: radius.l, borderWidth: StyleSheet.hairlineWidth, padding: space.l, gap: space.m },
  fact: { flexDirection: 'row', justifyContent: 'space-between', gap: space.m, minHeight: 24, alignItems: 'center' },
  factValue: { fontWeight: '600', fontVariant: ['tabular-nums'], flexShrink: 1, textAlign: 'right' },
  empty: { flex: 1, alignItems: 'center', justifyContent: 'center', padding: space.xxl, gap: space.s },
  centred: { textAlign: 'center' },
  notice: { borderWidth: 1, borderRadius: radius.m, padding: space.m, gap: space.xs },
  noticeTitle: { fontWeight: '700' },
});
