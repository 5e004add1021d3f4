import { TabList, Tabs, TabSlot, TabTrigger } from 'expo-router/ui';
import { StyleSheet } from 'react-native';
import { useSafeAreaInsets } from 'react-native-safe-area-context';
import { TabEntry } from '../../components/TabBar';
import { useTheme } from '../../context/ThemeContext';
import { space } from '../../theme/tokens';

/** Tabs without native code: the bar is the app's own. */
export default function TabsLayout() {
  const { colours } = useTheme();
  const insets = useSafeAreaInsets();
  return (
    <Tabs>
      <TabSlot style={styles.screens} />
      <TabList style={[styles.bar, { backgroundColor: colours.surface, borderTopColor: colours.border, paddingBottom: insets.bottom + space.xs }]}>
        <TabTrigger name="index" href="/" asChild>
          <TabEntry title="Entities" symbol="☰" testID="tab-entities" />
        </TabTrigger>
        <TabTrigger name="timeline" href="/timeline" asChild>
          <TabEntry title="Timeline" symbol="◷" testID="tab-timeline" />
        </TabTrigger>
        <TabTrigger name="sync" href="/sync" asChild>
          <TabEntry title="Sync" symbol="⇅" testID="tab-sync" />
        </TabTrigger>
        <TabTrigger name="profile" href="/profile" asChild>
          <TabEntry title="Profile" symbol="◉" testID="tab-profile" />
        </TabTrigger>
      </TabList>
    </Tabs>
  );
}

const styles = StyleSheet.create({
  // As tall as what the bar leaves, however long a list is inside.
  screens: { flexShrink: 1, flexBasis: 0 },
  bar: { flexDirection: 'row', justifyContent: 'space-around', borderTopWidth: StyleSheet.hairlineWidth, paddingTop: space.xs },
});
