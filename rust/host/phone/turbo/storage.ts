/** AsyncStorage (`RNCAsyncStorage`), in one JSON file of the storage directory: small, and as lasting as the phone's. */
import { call } from '../../prelude/native';
import { bytesOf } from '../../prelude/encoding';
import { provide } from './registry';

const FILE = 'async-storage.json';

type Pairs = Record<string, string>;
type Done = (errors: null, result?: unknown) => void;

function read(): Pairs {
  return call<boolean>('exists', { path: FILE }) ? (JSON.parse(call<string>('readText', { path: FILE })) as Pairs) : {};
}

function change(callback: Done, edit: (pairs: Pairs) => void): void {
  const pairs = read();
  edit(pairs);
  call('writeFile', { path: FILE }, bytesOf(JSON.stringify(pairs)));
  callback(null);
}

export function installStorage(): void {
  provide({
    RNCAsyncStorage: {
      multiGet: (keys: string[], callback: Done) => {
        const pairs = read();
        callback(null, keys.map((key) => [key, pairs[key] ?? null]));
      },
      multiSet: (given: [string, string][], callback: Done) => change(callback, (pairs) => Object.assign(pairs, Object.fromEntries(given))),
      multiRemove: (keys: string[], callback: Done) =>
        change(callback, (pairs) => {
          for (const key of keys) delete pairs[key];
        }),
      multiMerge: (given: [string, string][], callback: Done) =>
        change(callback, (pairs) => {
          for (const [key, value] of given) {
            pairs[key] = JSON.stringify({ ...(JSON.parse(pairs[key] ?? '{}') as object), ...(JSON.parse(value) as object) });
          }
        }),
      getAllKeys: (callback: Done) => callback(null, Object.keys(read())),
      clear: (callback: Done) =>
        change(callback, (pairs) => {
          for (const key of Object.keys(pairs)) delete pairs[key];
        }),
    },
  });
}
