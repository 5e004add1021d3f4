/** One mounted `SyncProvider` with React's test renderer, and what the hooks below it answered. */
import assert from 'node:assert/strict';
import type { ReactNode } from 'react';
import {
  column, type Database, Schema, type SyncConnector, SyncProvider, type SyncProviderProps, type SyncState, Table, useDatabase, useSyncState,
} from '../../index';
import { fake } from '../fakes/native';
import { AppState, appStateListeners, Platform } from '../fakes/react-native';
import { unmount } from './screen';

export { show, unmount } from './screen';

export const makeSchema = () => new Schema({ t: new Table({ a: column.text }) });
const schema = makeSchema();
const connector: SyncConnector = { fetchCredentials: () => Promise.resolve({ endpoint: 'http://h', token: 'tok' }) };

let seen: SyncState[] = [];
let last: Database | null = null;

export function Probe(): ReactNode {
  seen.push(useSyncState());
  last = useDatabase();
  return null;
}

/** Every state that was rendered. */
export const states = (): readonly SyncState[] => seen;
export const database = (): Database | null => last;
export const state = (): SyncState => {
  const latest = seen.at(-1);
  assert.ok(latest);
  return latest;
};
/** The database of the mounted provider, as the fake knows it. */
export const openId = (): number => fake.openIds().at(-1) ?? 0;

export const tree = (props: Partial<SyncProviderProps>) => (
  <SyncProvider schema={schema} connector={connector} userId="u" {...props}>
    <Probe />
  </SyncProvider>
);

/** The calls of these methods, in order. */
export const calls = (...names: string[]) => fake.log.filter((call) => names.includes(call.replace(/\(.*/, '')));
/** As `calls`, without their arguments. */
export const methods = (...names: string[]) => calls(...names).map((call) => call.replace(/\(.*/, ''));

export function reset(): void {
  seen = [];
  fake.log.length = 0;
  AppState.currentState = 'active';
  Platform.OS = 'android';
}

/** Nothing stays behind. */
export async function unmountAndCheck(): Promise<void> {
  await unmount();
  assert.deepEqual(fake.openIds(), [], 'a database is still open');
  assert.equal(fake.subscriptions(), 0);
  assert.equal(appStateListeners(), 0);
}
