/** The key of an encrypted file, as apps give it and as the engine takes it. What the engine does with it is in docs/encryption.md. */
import { describe } from './describe';
import { SyncError, type SyncErrorCode } from './errors';
import type { NativeEncryptionKey } from './types';

/**
 * 32 bytes are the key itself; a string is a passphrase, of which a key is derived each time the file is opened, which takes
 * a noticeable part of a second. Prefer random bytes, kept in the device's key store.
 */
export type EncryptionKey = string | Uint8Array | ArrayBuffer;

const keyBytes = 32;

/** The key as the engine takes it. No message holds any of it. */
export function checkKey(code: SyncErrorCode, name: string, given: unknown): NativeEncryptionKey {
  if (typeof given === 'string') {
    if (given === '' || given.includes('\0')) {
      throw new SyncError(code, `${name} must not be empty and must not hold a NUL character`);
    }
    return { passphrase: given };
  }
  const bytes = given instanceof ArrayBuffer ? new Uint8Array(given) : given;
  if (!(bytes instanceof Uint8Array)) {
    throw new SyncError(code, `${name} must be a string, a Uint8Array or an ArrayBuffer; got ${describe(given)}`);
  }
  if (bytes.length !== keyBytes) {
    throw new SyncError(code, `${name} must have ${keyBytes} bytes if it is not a string; got ${bytes.length}`);
  }
  return { raw: Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('') };
}
