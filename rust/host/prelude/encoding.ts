/** `TextDecoder` (UTF-8), and how bodies and file contents become bytes. `TextEncoder`, `atob` and `btoa` are Hermes' own. */
import { define, native } from './native';

export type Bytes = ArrayBuffer | ArrayBufferView;

export function isBytes(value: unknown): value is Bytes {
  return value instanceof ArrayBuffer || ArrayBuffer.isView(value);
}

/** The bytes as an ArrayBuffer of their own; text as UTF-8. */
export function bytesOf(content: string | Bytes): ArrayBuffer {
  if (typeof content === 'string') return bytesOf(new TextEncoder().encode(content));
  if (content instanceof ArrayBuffer) return content;
  if (content.byteOffset === 0 && content.byteLength === content.buffer.byteLength) return content.buffer as ArrayBuffer;
  return content.buffer.slice(content.byteOffset, content.byteOffset + content.byteLength) as ArrayBuffer;
}

/** How many bytes at the end begin a character that is not complete. */
function incompleteTail(bytes: Uint8Array): number {
  for (let back = 1; back <= Math.min(3, bytes.length); back++) {
    const byte = bytes[bytes.length - back] as number;
    if (byte < 0x80) return 0;
    if (byte >= 0xc0) return back < (byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : 2) ? back : 0;
  }
  return 0;
}

class TextDecoder {
  readonly encoding = 'utf-8';
  readonly fatal: boolean;
  readonly ignoreBOM: boolean;
  #kept = new Uint8Array(0);
  #started = false;

  constructor(label = 'utf-8', options: { fatal?: boolean; ignoreBOM?: boolean } = {}) {
    if (!/^\s*(utf-?8|unicode-1-1-utf-8)\s*$/i.test(label)) throw new RangeError(`The host decodes UTF-8 only, not ${label}`);
    this.fatal = options.fatal ?? false;
    this.ignoreBOM = options.ignoreBOM ?? false;
  }

  decode(input?: Bytes, options: { stream?: boolean } = {}): string {
    let bytes = input === undefined ? new Uint8Array(0) : viewOf(input);
    if (this.#kept.length > 0) {
      const joined = new Uint8Array(this.#kept.length + bytes.length);
      joined.set(this.#kept);
      joined.set(bytes, this.#kept.length);
      bytes = joined;
    }
    const tail = options.stream ? incompleteTail(bytes) : 0;
    this.#kept = bytes.slice(bytes.length - tail);
    const length = bytes.length - tail;
    let text = native.decodeUtf8(bytes.buffer as ArrayBuffer, bytes.byteOffset, length);
    if (this.fatal && text.includes('\ufffd') && !sameBytes(new TextEncoder().encode(text), bytes.subarray(0, length))) {
      throw new TypeError('The encoded data was not valid UTF-8');
    }
    if (!this.#started && !this.ignoreBOM && text.charCodeAt(0) === 0xfeff) text = text.slice(1);
    this.#started = options.stream === true && (this.#started || length > 0);
    return text;
  }
}

function viewOf(input: Bytes): Uint8Array {
  return input instanceof ArrayBuffer ? new Uint8Array(input) : new Uint8Array(input.buffer, input.byteOffset, input.byteLength);
}

function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i]);
}

export function installEncoding(): void {
  define('TextDecoder', TextDecoder);
}
