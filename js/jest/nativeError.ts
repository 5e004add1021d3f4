/** What the fake rejects with: an error in the shape of the native module's. */

export type NativeFailure = Error & { code: string; retryable: boolean };

export function nativeError(code: string, message: string, retryable = false): NativeFailure {
  return Object.assign(new Error(message), { code, retryable });
}

export function isNativeFailure(thrown: unknown): thrown is NativeFailure {
  return thrown instanceof Error && typeof (thrown as { code?: unknown }).code === 'string';
}
