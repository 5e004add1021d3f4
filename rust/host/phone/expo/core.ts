/** `globalThis.expo`: the classes and the registry on which Expo's modules stand; natively they are C++ of expo-modules-core. */
import { guard } from '../../prelude/errors';
import { call, define } from '../../prelude/native';
import { noteMissing } from '../failures';

type Listener = (...args: unknown[]) => void;

export class EventEmitter {
  #listeners: Map<string, Set<Listener>> | undefined;

  addListener(name: string, listener: Listener): { remove(): void } {
    this.#listeners ??= new Map();
    let set = this.#listeners.get(name);
    if (!set) this.#listeners.set(name, (set = new Set()));
    set.add(listener);
    if (set.size === 1) this.startObserving(name);
    return { remove: () => this.removeListener(name, listener) };
  }

  removeListener(name: string, listener: Listener): void {
    const set = this.#listeners?.get(name);
    if (set?.delete(listener) && set.size === 0) this.stopObserving(name);
  }

  removeAllListeners(name: string): void {
    if (this.#listeners?.delete(name)) this.stopObserving(name);
  }

  emit(name: string, ...args: unknown[]): void {
    for (const listener of [...(this.#listeners?.get(name) ?? [])]) guard(listener, ...args);
  }

  listenerCount(name: string): number {
    return this.#listeners?.get(name)?.size ?? 0;
  }

  /** For modules that begin and end to observe something. */
  startObserving(name: string): void {
    void name;
  }
  stopObserving(name: string): void {
    void name;
  }
}

export class NativeModule extends EventEmitter {}

export class SharedObject extends EventEmitter {
  release(): void {}
}

export class SharedRef extends SharedObject {
  get nativeRefType(): string {
    return 'unknown';
  }
}

const modules = new Map<string, NativeModule>();

/** Makes a module of Expo's from its functions and constants. */
export function provideExpo(given: Record<string, object>): void {
  for (const [name, members] of Object.entries(given)) {
    modules.set(name, Object.defineProperties(new NativeModule(), Object.getOwnPropertyDescriptors(members)));
  }
}

export function emitExpoEvent(module: string, name: string, ...args: unknown[]): void {
  modules.get(module)?.emit(name, ...args);
}

export function uuid(): string {
  const bytes = new Uint8Array(call<ArrayBuffer>('random', { length: 16 }));
  bytes[6] = ((bytes[6] as number) & 0x0f) | 0x40;
  bytes[8] = ((bytes[8] as number) & 0x3f) | 0x80;
  const hex = [...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join('');
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-');
}

/** `reload` starts the bundle anew. */
export function installExpo(version: string, reload: () => void): void {
  const [major = 0, minor = 0, patch = 0] = version.split('.').map(Number);
  define('expo', {
    EventEmitter,
    NativeModule,
    SharedObject,
    SharedRef,
    modules: new Proxy(
      {},
      {
        get: (_, name) => {
          if (typeof name !== 'string') return undefined;
          const module = modules.get(name);
          if (!module) noteMissing('Expo module', name);
          return module;
        },
        has: (_, name) => modules.has(String(name)),
        ownKeys: () => [...modules.keys()],
        getOwnPropertyDescriptor: (_, name) =>
          modules.has(String(name)) ? { value: modules.get(String(name)), enumerable: true, configurable: true } : undefined,
      },
    ),
    uuidv4: uuid,
    uuidv5: (name: string, namespace: string) => `v5-${namespace}-${name}`,
    getViewConfig: () => ({ validAttributes: {}, directEventTypes: {} }),
    reloadAppAsync: () => {
      reload();
      return Promise.resolve();
    },
    expoModulesCoreVersion: { version, major, minor, patch },
    cacheDir: 'file:///phone/cache/',
    documentsDir: 'file:///phone/documents/',
    installOnUIRuntime() {},
  });
}
