/** The device's network and battery, with FAKES of the packages that tell of them. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type DeviceEvent, type ExpoBatteryModule, type ExpoNetworkModule, fakeDevice, installedModules, type NetInfoModule, watchDevice } from '../../connectivity';
import { createActivity, createSurroundings } from '../../notices';
import type { SyncFrequency } from '../../status';

function source<T>() {
  const handlers = new Set<(state: T) => void>();
  return {
    add: (handler: (state: T) => void) => {
      handlers.add(handler);
      return { remove: () => { handlers.delete(handler); } };
    },
    emit: (state: T) => { handlers.forEach((handler) => { handler(state); }); },
    count: () => handlers.size,
  };
}

test('netinfo: lost, back and metered are told when they change, and no longer after the end', () => {
  type State = Parameters<Parameters<NetInfoModule['addEventListener']>[0]>[0];
  const net = source<State>();
  const told: DeviceEvent[] = [];
  const end = watchDevice((event) => told.push(event), { netInfo: { addEventListener: (handler) => net.add(handler).remove } });
  net.emit({ isConnected: null, details: null });
  net.emit({ isConnected: true, details: { isConnectionExpensive: false } });
  assert.deepEqual(told, []);
  net.emit({ isConnected: true, details: { isConnectionExpensive: true } });
  net.emit({ isConnected: false, details: null });
  net.emit({ isConnected: false, details: null });
  net.emit({ isConnected: true, details: { isConnectionExpensive: true } });
  assert.deepEqual(told, ['metered', 'networkLost', 'unmetered', 'networkRegained', 'metered']);
  end();
  assert.equal(net.count(), 0);
});

test('expo-network and expo-battery: how things are at first, and what changes', async () => {
  const net = source<{ isConnected?: boolean }>();
  const power = source<object>();
  const expoNetwork: ExpoNetworkModule = {
    addNetworkStateListener: net.add,
    getNetworkStateAsync: () => Promise.resolve({ isConnected: false }),
  };
  const expoBattery: ExpoBatteryModule = {
    getPowerStateAsync: () => Promise.resolve({ batteryLevel: 0.1, batteryState: 1, lowPowerMode: false }),
    addBatteryLevelListener: power.add,
    addBatteryStateListener: power.add,
    addLowPowerModeListener: power.add,
  };
  const told: DeviceEvent[] = [];
  const end = watchDevice((event) => told.push(event), { expoNetwork, expoBattery });
  await new Promise((resolve) => { setTimeout(resolve, 0); });
  assert.deepEqual(told, ['networkLost', 'batteryLow']);
  power.emit({ batteryState: 2 });
  power.emit({ lowPowerMode: true });
  power.emit({ lowPowerMode: false });
  net.emit({ isConnected: true });
  assert.deepEqual(told.slice(2), ['batteryOk', 'batteryLow', 'batteryOk', 'networkRegained']);
  end();
  assert.deepEqual([net.count(), power.count()], [0, 0]);
});

test('a module that throws is reported, and the others work', (t) => {
  const report = t.mock.method(console, 'error', () => undefined);
  const netInfo = { addEventListener: () => { throw new Error('no native part'); } };
  watchDevice(() => undefined, { netInfo })();
  assert.equal(report.mock.callCount(), 1);
});

test('mocks that answer nothing, as jest makes them, are no error', async (t) => {
  const report = t.mock.method(console, 'error', () => undefined);
  const nothing = (): undefined => undefined;
  const resolved = (): Promise<undefined> => Promise.resolve(undefined);
  const told: DeviceEvent[] = [];
  const tell = (event: DeviceEvent): void => { told.push(event); };
  const battery = { addBatteryLevelListener: nothing, addBatteryStateListener: nothing, addLowPowerModeListener: nothing };
  for (const ask of [nothing, resolved]) {
    const end = watchDevice(tell, {
      expoNetwork: { addNetworkStateListener: nothing, getNetworkStateAsync: ask },
      expoBattery: { ...battery, getPowerStateAsync: ask },
    });
    await new Promise((resolve) => { setTimeout(resolve, 0); });
    end();
  }
  watchDevice(tell, { netInfo: { addEventListener: nothing } })();
  assert.deepEqual(told, []);
  assert.equal(report.mock.callCount(), 0);
});

test('with the fake of the native module nothing of the device is asked', (t) => {
  const holder = globalThis as Record<symbol, unknown>;
  holder[fakeDevice] = true;
  t.after(() => { holder[fakeDevice] = undefined; });
  assert.deepEqual(Object.keys(installedModules()), []);
});

test('nothing is installed here, and that is no error', () => {
  assert.deepEqual(Object.values(installedModules()).filter((module) => module !== undefined), []);
  watchDevice(() => { throw new Error('there is nothing to tell'); })();
});

test('what still holds is kept for the next database', () => {
  const surroundings = createSurroundings();
  for (const notice of ['metered', 'networkLost', 'background', 'networkRegained', 'active'] as const) {
    surroundings.note(notice);
  }
  assert.deepEqual(surroundings.standing(), ['metered', 'background']);
});

test('reads count as activity once per 30 s, when the engine has gone idle', (t) => {
  t.mock.timers.enable({ apis: ['Date'], now: 1_000 });
  let frequency: SyncFrequency = 'active';
  let told = 0;
  const activity = createActivity(() => frequency, () => { told += 1; });
  activity.seen();
  frequency = 'idle';
  activity.seen();
  assert.equal(told, 0, 'looked a moment ago');
  t.mock.timers.tick(30_000);
  activity.seen();
  activity.seen();
  assert.equal(told, 1);
});
