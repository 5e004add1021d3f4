/** One mounted `SyncProvider` with React's test renderer, and what the hooks below it answered. */
import assert from 'node:assert/strict';
import type { ReactElement, ReactNode } from 'react';
import { act, create, type ReactTestRenderer } from 'react-test-renderer';
import {
  column, type Database, Schema, type SyncConnector, SyncProvider, type SyncProviderProps, type SyncState, Table, useDatabase, useSyncState,
} from '../../index';
import { fake } from '../fakes/native';
import { AppState, appStateListeners, Platform } from '../fakes/react-native';
import { settled } from './expect';

Object.assign(globalThis, { IS_REACT_ACT_ENVIRONMENT: true });

export const makeSchema = () => new Schema({ t: new Table({ a: column.text }) });
const schema = makeSchema();
const connector: SyncConnector = { fetchCredentials: () => Promise.resolve({ endpoint: 'http://h', token: 'tok' }) };

let seen: SyncState[] = [];
let last: Database | null = null;
let app: ReactTestRenderer | null = null;

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

/** Renders, and lets what follows happen. */
export async function show(element: ReactElement): Promise<void> {
  await act(async () => {
    if (app === null) {
      app = create(element);
    } else {
      app.update(element);
    }
    await settled();
  });
}

export async function unmount(): Promise<void> {
  await act(async () => {
    app?.unmount();
    app = null;
    await settled();
  });
}

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
