/** `URL`, `URLSearchParams` (whatwg-url), `structuredClone` (@ungap) and the random part of `crypto`. */
import structuredClone from '@ungap/structured-clone';
import { URL, URLSearchParams } from 'whatwg-url-without-unicode';
import { DOMException } from './events';
import { call, define } from './native';

const MAX_RANDOM_BYTES = 65536;

const crypto = {
  getRandomValues<T extends ArrayBufferView>(array: T): T {
    if (array.byteLength > MAX_RANDOM_BYTES) {
      throw new DOMException(`More than ${MAX_RANDOM_BYTES} random bytes at once`, 'QuotaExceededError');
    }
    const random = new Uint8Array(call<ArrayBuffer>('random', { length: array.byteLength }));
    new Uint8Array(array.buffer, array.byteOffset, array.byteLength).set(random);
    return array;
  },

  randomUUID(): string {
    const bytes = crypto.getRandomValues(new Uint8Array(16));
    bytes[6] = ((bytes[6] as number) & 0x0f) | 0x40;
    bytes[8] = ((bytes[8] as number) & 0x3f) | 0x80;
    const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
    return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-');
  },
};

export function installWeb(): void {
  define('URL', URL);
  define('URLSearchParams', URLSearchParams);
  define('structuredClone', (value: unknown) => structuredClone(value));
  define('crypto', crypto);
}
