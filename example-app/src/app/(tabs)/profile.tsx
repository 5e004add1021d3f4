import { useDatabase, useSyncState } from '@omnii/sync';
import { useState } from 'react';
import { StyleSheet, View } from 'react-native';
import { ConfirmButton } from '../../components/Button';
import { Chip } from '../../components/Chip';
import { Card, Fact, Notice, Page } from '../../components/layout';
import { ProgressBar } from '../../components/ProgressBar';
import { SyncIndicator } from '../../components/SyncIndicator';
import { AppText } from '../../components/text';
import { UnsupportedNotice } from '../../components/UnsupportedNotice';
import { useAuth } from '../../context/AuthContext';
import { useProfile } from '../../context/ProfileContext';
import { type ThemeSetting, useTheme } from '../../context/ThemeContext';
import { useXP } from '../../context/XPContext';
import { TYPE_TITLES } from '../../lib/sync/entities';
import { space } from '../../theme/tokens';

const SETTINGS: readonly { value: ThemeSetting; title: string }[] = [
  { value: 'system', title: 'As the device' },
  { value: 'light', title: 'Light' },
  { value: 'dark', title: 'Dark' },
];

/** Who the user is, what the local data says of them, and the way out. */
export default function ProfileScreen() {
  const { email, displayName, counts } = useProfile();
  const { points, level, progress, pointsToNext } = useXP();
  const { setting, setSetting } = useTheme();
  const { signOut } = useAuth();
  const db = useDatabase();
  const { isSupported } = useSyncState();
  const [failure, setFailure] = useState<string | null>(null);

  const leave = async (): Promise<void> => {
    try {
      // First the database, while the token is still good: what is pending goes out, and the file goes if nothing stays behind.
      await db?.signOut();
      await signOut();
    } catch (error) {
      setFailure(error instanceof Error ? error.message : String(error));
    }
  };

  return (
    <Page title="Profile" trailing={<SyncIndicator />} scrolls>
      {!isSupported && <UnsupportedNotice />}
      <Card>
        <AppText kind="heading">{displayName}</AppText>
        <AppText tone="muted" testID="profile-email">
          {email}
        </AppText>
      </Card>
      <Card title={`Level ${level}`}>
        <ProgressBar fraction={progress} label={`On the way to level ${level + 1}`} />
        <Fact label="Points" value={points.toLocaleString()} testID="profile-xp" />
        <Fact label={`To level ${level + 1}`} value={pointsToNext.toLocaleString()} />
      </Card>
      <Card title="On this device">
        {counts.length === 0 ? (
          <AppText kind="small" tone="muted">
            Nothing yet.
          </AppText>
        ) : (
          counts.map(({ type, count }) => <Fact key={type} label={TYPE_TITLES[type]} value={count.toLocaleString()} />)
        )}
      </Card>
      <Card title="Appearance">
        <View style={styles.chips} accessibilityRole="radiogroup" accessibilityLabel="Appearance">
          {SETTINGS.map(({ value, title }) => (
            <Chip key={value} title={title} selected={setting === value} onPress={() => setSetting(value)} testID={`theme-${value}`} />
          ))}
        </View>
      </Card>
      {failure !== null && <Notice tone="danger" title="Still signed in" text={failure} />}
      <ConfirmButton
        title="Sign out"
        kind="danger"
        question="What waits is uploaded first. What cannot be is kept for your next sign-in."
        confirmTitle="Sign out"
        testID="sign-out"
        onPress={() => void leave()}
      />
    </Page>
  );
}

const styles = StyleSheet.create({ chips: { flexDirection: 'row', flexWrap: 'wrap', gap: space.s } });
