/** `Networking`, which React Native's XMLHttpRequest and its own fetch stand on; and the blobs its fetch asks for. */
import { bytesOf } from '../../prelude/encoding';
import { native } from '../../prelude/native';
import { request } from '../http';
import { emitDeviceEvent, emitter, provide, withConstants } from './registry';

interface Body {
  string?: string;
  base64?: string;
  blob?: { blobId: string; offset: number; size: number };
}

const aborts = new Map<number, () => void>();
const blobs = new Map<string, ArrayBuffer>();

function bytesOfBase64(text: string): ArrayBuffer {
  return bytesOf(Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0)));
}

function base64Of(bytes: ArrayBuffer): string {
  let letters = '';
  for (const byte of new Uint8Array(bytes)) letters += String.fromCharCode(byte);
  return btoa(letters);
}

function content(data: Body | null): ArrayBuffer | undefined {
  if (typeof data?.string === 'string') return bytesOf(data.string);
  if (typeof data?.base64 === 'string') return bytesOfBase64(data.base64);
  if (data?.blob) return blobs.get(data.blob.blobId)?.slice(data.blob.offset, data.blob.offset + data.blob.size);
  return undefined;
}

function textOf(bytes: ArrayBuffer): string {
  return native.decodeUtf8(bytes, 0, bytes.byteLength);
}

function shape(body: ArrayBuffer, type: string): unknown {
  if (type === 'text') return textOf(body);
  if (type === 'base64') return base64Of(body);
  const blobId = `${Math.random()}`;
  blobs.set(blobId, body);
  return { blobId, offset: 0, size: body.byteLength };
}

function sendRequest(
  method: string,
  url: string,
  id: number,
  headers: [string, string][],
  data: Body | null,
  type: string,
  _incremental: boolean,
  timeoutMs: number,
): void {
  const finish = (error: string, timedOut: boolean): void => {
    if (timer !== undefined) clearTimeout(timer);
    aborts.delete(id);
    emitDeviceEvent('didCompleteNetworkResponse', [id, error, timedOut]);
  };
  const abort = request({ method, url, headers, redirect: 'follow', body: content(data) }, (outcome) => {
    if ('failure' in outcome) return finish(outcome.failure, false);
    const { head, body } = outcome;
    emitDeviceEvent('didReceiveNetworkResponse', [id, head.status, Object.fromEntries(head.headers), head.url]);
    emitDeviceEvent('didReceiveNetworkData', [id, shape(body, type)]);
    finish('', false);
  });
  aborts.set(id, abort);
  const timer =
    timeoutMs > 0
      ? setTimeout(() => {
          abort();
          finish('timeout', true);
        }, timeoutMs)
      : undefined;
}

export function installNetworking(): void {
  provide({
    Networking: {
      ...emitter,
      sendRequest,
      abortRequest: (id: number) => {
        aborts.get(id)?.();
        aborts.delete(id);
      },
      clearCookies: (callback: (had: boolean) => void) => callback(false),
    },
    // There are no sockets: whoever opens one is told so, as without a network.
    WebSocketModule: {
      ...emitter,
      connect: (_url: string, _protocols: unknown, _options: unknown, id: number) => {
        setTimeout(() => emitDeviceEvent('websocketFailed', { id, message: 'the headless phone has no WebSockets' }), 0);
      },
      send() {},
      sendBinary() {},
      ping() {},
      close() {},
    },
    BlobModule: withConstants(
      { BLOB_URI_SCHEME: 'content', BLOB_URI_HOST: 'headless.blobs' },
      {
        addNetworkingHandler() {},
        addWebSocketHandler() {},
        removeWebSocketHandler() {},
        sendOverSocket() {},
        createFromParts: (parts: { type: string; data: unknown }[], id: string) => {
          const bytes = parts.map((part) => (part.type === 'string' ? bytesOf(String(part.data)) : (content({ blob: part.data as never }) ?? new ArrayBuffer(0))));
          const joined = new Uint8Array(bytes.reduce((sum, part) => sum + part.byteLength, 0));
          let at = 0;
          for (const part of bytes) {
            joined.set(new Uint8Array(part), at);
            at += part.byteLength;
          }
          blobs.set(id, joined.buffer);
        },
        release: (id: string) => void blobs.delete(id),
      },
    ),
    FileReaderModule: {
      readAsText: (blob: NonNullable<Body['blob']>) => Promise.resolve(textOf(content({ blob }) ?? new ArrayBuffer(0))),
      readAsDataURL: (blob: NonNullable<Body['blob']>) =>
        Promise.resolve(`data:application/octet-stream;base64,${base64Of(content({ blob }) ?? new ArrayBuffer(0))}`),
    },
  });
}
