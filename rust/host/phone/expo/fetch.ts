/** `ExpoFetchModule`, on which the global fetch of an Expo app stands. Bodies arrive whole, so nothing is streamed. */
import { bytesOf } from '../../prelude/encoding';
import { native } from '../../prelude/native';
import { type Head, request } from '../http';
import { provideExpo, SharedObject } from './core';

interface Init {
  method?: string;
  headers?: [string, string][];
  redirect?: 'follow' | 'manual' | 'error';
}

class NativeResponse extends SharedObject {
  _head: Head | null = null;
  _body = new ArrayBuffer(0);
  #isUsed = false;

  get bodyUsed(): boolean {
    return this.#isUsed;
  }
  get _rawHeaders(): [string, string][] {
    return this._head?.headers ?? [];
  }
  get status(): number {
    return this._head?.status ?? 0;
  }
  get statusText(): string {
    return this._head?.statusText ?? '';
  }
  get url(): string {
    return this._head?.url ?? '';
  }
  get redirected(): boolean {
    return this._head?.redirected ?? false;
  }

  startStreaming(): Promise<Uint8Array> {
    this.#isUsed = true;
    return Promise.resolve(new Uint8Array(this._body));
  }

  cancelStreaming(): void {}

  arrayBuffer(): Promise<ArrayBuffer> {
    this.#isUsed = true;
    return Promise.resolve(this._body);
  }

  text(): Promise<string> {
    this.#isUsed = true;
    return Promise.resolve(native.decodeUtf8(this._body, 0, this._body.byteLength));
  }
}

class NativeRequest extends SharedObject {
  readonly #response: NativeResponse;
  #abort: (() => void) | null = null;
  #reject: ((reason: Error) => void) | null = null;

  constructor(response: NativeResponse) {
    super();
    this.#response = response;
  }

  start(url: string, init: Init, body: Uint8Array | null): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#reject = reject;
      const { method = 'GET', headers = [], redirect = 'follow' } = init;
      this.#abort = request({ method, url, headers, redirect, body: body ? bytesOf(body) : undefined }, (outcome) => {
        if ('failure' in outcome) return reject(new Error(outcome.failure));
        this.#response._head = outcome.head;
        this.#response._body = outcome.body;
        resolve();
        this.#response.emit('readyForJSFinalization');
      });
    });
  }

  cancel(): void {
    this.#abort?.();
    this.#reject?.(new Error('The request was cancelled'));
  }
}

export function installExpoFetch(): void {
  provideExpo({ ExpoFetchModule: { NativeRequest, NativeResponse } });
}
