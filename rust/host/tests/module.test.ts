// The native module through React Native's own TurboModule binding.
import { type TurboModule, TurboModuleRegistry } from 'react-native';
import { assert, test } from '../../../scripts/host/harness';

interface Module extends TurboModule {
  open(options: string): Promise<number>;
  getStatus(databaseId: number): string;
  onStatusChanged(listener: (event: { databaseId: number; status: string }) => void): { remove(): void };
}

test('the module is there, and always the same object', () => {
  const module = TurboModuleRegistry.getEnforcing<Module>('OmniiSync');
  assert.equal(TurboModuleRegistry.get<Module>('OmniiSync'), module);
  assert.equal(TurboModuleRegistry.get('Nothing'), null);
  assert.throws(() => TurboModuleRegistry.getEnforcing('Nothing'), /'Nothing' could not be found/);
});

test('a method answers at once', () => {
  const module = TurboModuleRegistry.getEnforcing<Module>('OmniiSync');
  assert.equal(typeof JSON.parse(module.getStatus(0)), 'object');
});

test('codegen’s glue checks the arguments', () => {
  const module = TurboModuleRegistry.getEnforcing<TurboModule & { getStatus(id?: unknown): string }>('OmniiSync');
  assert.throws(() => module.getStatus('one'), /number/i);
  assert.throws(() => module.getStatus(), /position 0/);
});

test('events can be subscribed to and let go', () => {
  const module = TurboModuleRegistry.getEnforcing<Module>('OmniiSync');
  const subscription = module.onStatusChanged(() => {});
  subscription.remove();
});
