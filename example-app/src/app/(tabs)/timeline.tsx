import { useQuery, useStatus, useSyncState } from '@omnii/sync';
import { useMemo, useState } from 'react';
import { SectionList, StyleSheet, View } from 'react-native';
import { EmptyState, Notice, Page } from '../../components/layout';
import { SyncIndicator } from '../../components/SyncIndicator';
import { AppText } from '../../components/text';
import { UnsupportedNotice } from '../../components/UnsupportedNotice';
import { useTheme } from '../../context/ThemeContext';
import { dayKey, dayTitle, timeOfDay } from '../../lib/dates';
import type { Rows } from '../../lib/sync/schema';
import { radius, space } from '../../theme/tokens';

type Event = Pick<Rows['sync_events'], 'id' | 'summary' | 'start_time' | 'end_time' | 'location'>;

const PAGE = 200;
const SQL = `
  SELECT id, summary, start_time, end_time, location FROM sync_events
  WHERE start_time IS NOT NULL ORDER BY start_time DESC, id LIMIT ?`;

/** Neighbours of one day together. Rows come ordered by time. */
function byDay(events: readonly Event[]): { key: string; title: string; data: Event[] }[] {
  const days = new Map<string, Event[]>();
  for (const event of events) {
    const key = dayKey(event.start_time);
    if (key === null) continue;
    const day = days.get(key);
    if (day) day.push(event);
    else days.set(key, [event]);
  }
  return [...days].map(([key, data]) => ({ key, title: dayTitle(key), data }));
}

/** Events, the latest day first. More are read as the list is scrolled. */
export default function TimelineScreen() {
  const { colours } = useTheme();
  const { isSupported } = useSyncState();
  const { hasSynced } = useStatus();
  const [limit, setLimit] = useState(PAGE);
  const { data, isLoading, error } = useQuery<Event>(SQL, [limit]);
  const sections = useMemo(() => byDay(data), [data]);
  return (
    <Page title="Timeline" trailing={<SyncIndicator />}>
      {error && isSupported && <Notice tone="danger" title="The timeline cannot be read" text={error.message} />}
      {!isSupported && (
        <View style={styles.notice}>
          <UnsupportedNotice />
        </View>
      )}
      <SectionList
        testID="timeline-list"
        sections={sections}
        keyExtractor={({ id }) => id}
        stickySectionHeadersEnabled
        initialNumToRender={12}
        windowSize={7}
        onEndReached={() => data.length === limit && setLimit((before) => before + PAGE)}
        contentContainerStyle={sections.length === 0 ? styles.emptyList : styles.list}
        renderSectionHeader={({ section }) => (
          <View style={[styles.day, { backgroundColor: colours.background }]}>
            <AppText kind="small" tone="muted" style={styles.dayTitle} accessibilityRole="header">
              {section.title}
            </AppText>
          </View>
        )}
        renderItem={({ item }) => <EventRow event={item} />}
        ListEmptyComponent={
          isLoading || !isSupported ? null : hasSynced ? (
            <EmptyState title="No events" hint="Events of your calendars appear here once they are synced." />
          ) : (
            <EmptyState title="Not synced yet" hint="Your events appear here as they arrive." />
          )
        }
      />
    </Page>
  );
}

function EventRow({ event }: { event: Event }) {
  const { colours } = useTheme();
  const times = [timeOfDay(event.start_time), timeOfDay(event.end_time)].filter((time) => time !== '').join(' – ');
  return (
    <View
      accessible
      accessibilityLabel={[event.summary, times, event.location].filter(Boolean).join(', ')}
      style={[styles.event, { backgroundColor: colours.surface, borderColor: colours.border }]}
    >
      <View style={[styles.line, { backgroundColor: colours.accent }]} />
      <View style={styles.texts}>
        <AppText numberOfLines={2} style={styles.summary}>
          {event.summary ?? 'Without a title'}
        </AppText>
        <AppText kind="small" tone="muted" numberOfLines={1}>
          {[times, event.location].filter(Boolean).join(' · ')}
        </AppText>
      </View>
    </View>
  );
}

const styles = StyleSheet.create({
  notice: { paddingHorizontal: space.l },
  list: { paddingBottom: space.xxl },
  emptyList: { flexGrow: 1 },
  day: { paddingHorizontal: space.l, paddingTop: space.l, paddingBottom: space.s },
  dayTitle: { fontWeight: '600' },
  event: {
    flexDirection: 'row',
    gap: space.m,
    marginHorizontal: space.l,
    marginBottom: space.s,
    padding: space.m,
    borderRadius: radius.m,
    borderWidth: StyleSheet.hairlineWidth,
  },
  line: { width: 4, borderRadius: 2 },
  texts: { flex: 1, gap: 2 },
  summary: { fontWeight: '500' },
});
