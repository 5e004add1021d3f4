/**
 * `fetch`, `Request`, `Response` and `Headers` (headers-polyfill) over the host's network.
 *
 * Bodies are whole: text, JSON, form fields, bytes; `body` is never a stream. A failed network is a
 * `TypeError('Network request failed: …')`, as in React Native; an abort rejects with the signal's reason.
 */
import { Headers } from 'headers-polyfill';
import { bytesOf, isBytes } from './encoding';
import { AbortController, type AbortSignal } from './events';
import { reportUncaught } from './errors';
import { call, define } from './native';

type BodyInit = string | ArrayBuffer | ArrayBufferView | URLSearchParams | null | undefined;
type HeadersInit = ConstructorParameters<typeof Headers>[0];
type Redirect = 'follow' | 'manual' | 'error';

interface RequestInit {
  method?: string;
  headers?: HeadersInit;
  body?: BodyInit;
  signal?: AbortSignal | null;
  redirect?: Redirect;
  credentials?: string;
  cache?: string;
  mode?: string;
}

const METHODS = ['DELETE', 'GET', 'HEAD', 'OPTIONS', 'PATCH', 'POST', 'PUT'];
const NO_BODY = [101, 204, 205, 304];

class Body {
  readonly body = null;
  bodyUsed = false;
  protected bytes: ArrayBuffer | null = null;

  /** Keeps the body; answers the content type that goes with it. */
  protected keep(body: BodyInit): string | null {
    if (body === null || body === undefined) return null;
    if (isBytes(body)) {
      this.bytes = bytesOf(body).slice(0);
      return null;
    }
    this.bytes = bytesOf(String(body));
    return body instanceof URLSearchParams
      ? 'application/x-www-form-urlencoded;charset=UTF-8'
      : 'text/plain;charset=UTF-8';
  }

  async arrayBuffer(): Promise<ArrayBuffer> {
    if (this.bodyUsed) throw new TypeError('The body has already been read');
    this.bodyUsed = this.bytes !== null;
    return this.bytes ?? new ArrayBuffer(0);
  }

  async text(): Promise<string> {
    const bytes = await this.arrayBuffer();
    return new TextDecoder().decode(bytes);
  }

  async json(): Promise<unknown> {
    return JSON.parse(await this.text());
  }
}

class Request extends Body {
  readonly url: string;
  readonly method: string;
  readonly headers: Headers;
  readonly signal: AbortSignal;
  readonly redirect: Redirect;
  readonly credentials: string;
  readonly cache: string;
  readonly mode: string;

  constructor(input: string | URL | Request, init: RequestInit = {}) {
    super();
    const from = input instanceof Request ? input : undefined;
    this.url = from ? from.url : new URL(String(input)).href;
    const method = init.method ?? from?.method ?? 'GET';
    this.method = METHODS.includes(method.toUpperCase()) ? method.toUpperCase() : method;
    this.headers = new Headers(init.headers ?? from?.headers);
    this.signal = init.signal ?? from?.signal ?? new AbortController().signal;
    this.redirect = init.redirect ?? from?.redirect ?? 'follow';
    this.credentials = init.credentials ?? from?.credentials ?? 'same-origin';
    this.cache = init.cache ?? from?.cache ?? 'default';
    this.mode = init.mode ?? from?.mode ?? 'cors';
    const body = init.body ?? from?.bytes;
    if (body !== null && body !== undefined && (this.method === 'GET' || this.method === 'HEAD')) {
      throw new TypeError(`A ${this.method} request cannot have a body`);
    }
    const type = this.keep(body);
    if (type && !this.headers.has('content-type')) this.headers.set('content-type', type);
  }

  clone(): Request {
    return new Request(this);
  }

  /** The body for the wire. */
  content(): ArrayBuffer | undefined {
    return this.bytes ?? undefined;
  }
}

interface ResponseInit {
  status?: number;
  statusText?: string;
  headers?: HeadersInit;
}

class Response extends Body {
  type = 'default';
  url = '';
  redirected = false;
  readonly status: number;
  readonly statusText: string;
  readonly headers: Headers;

  constructor(body?: BodyInit, init: ResponseInit = {}) {
    super();
    this.status = init.status ?? 200;
    if (this.status !== 0 && (this.status < 200 || this.status > 599)) throw new RangeError(`Invalid status ${this.status}`);
    if (body !== null && body !== undefined && NO_BODY.includes(this.status)) {
      throw new TypeError(`A response with status ${this.status} cannot have a body`);
    }
    this.statusText = init.statusText ?? '';
    this.headers = new Headers(init.headers);
    const type = this.keep(body);
    if (type && !this.headers.has('content-type')) this.headers.set('content-type', type);
  }

  get ok(): boolean {
    return this.status >= 200 && this.status < 300;
  }

  clone(): Response {
    if (this.bodyUsed) throw new TypeError('The body has already been read');
    const copy = new Response(this.bytes, this);
    copy.url = this.url;
    copy.type = this.type;
    copy.redirected = this.redirected;
    return copy;
  }

  static json(data: unknown, init: ResponseInit = {}): Response {
    const headers = new Headers(init.headers);
    if (!headers.has('content-type')) headers.set('content-type', 'application/json');
    return new Response(JSON.stringify(data), { ...init, headers });
  }

  static error(): Response {
    const response = new Response(null, { status: 0 });
    response.type = 'error';
    return response;
  }
}

interface Head {
  status: number;
  statusText: string;
  url: string;
  redirected: boolean;
  headers: [string, string][];
}

type Outcome = (head: string | null, body: ArrayBuffer | string) => void;

const inFlight = new Map<number, Outcome>();
let lastId = 0;

/** Takes the end of a fetch. */
export function fetched(id: number, head: string | null, body: ArrayBuffer | string): void {
  const settle = inFlight.get(id);
  inFlight.delete(id);
  try {
    settle?.(head, body);
  } catch (thrown) {
    reportUncaught(thrown);
  }
}

function toResponse(head: Head, body: ArrayBuffer): Response {
  const bodiless = NO_BODY.includes(head.status);
  const response = new Response(bodiless ? null : body, { ...head, headers: head.headers });
  response.url = head.url;
  response.type = 'basic';
  response.redirected = head.redirected;
  return response;
}

async function fetch(input: string | URL | Request, init?: RequestInit): Promise<Response> {
  const request = new Request(input, init);
  const { signal } = request;
  signal.throwIfAborted();
  return new Promise((resolve, reject) => {
    const id = ++lastId;
    const abort = () => {
      inFlight.delete(id);
      call('abortFetch', { id });
      reject(signal.reason);
    };
    inFlight.set(id, (head, body) => {
      signal.removeEventListener('abort', abort);
      if (head === null) reject(new TypeError(`Network request failed: ${body as string}`));
      else resolve(toResponse(JSON.parse(head) as Head, body as ArrayBuffer));
    });
    try {
      const body = request.content();
      call(
        'fetch',
        {
          id,
          method: request.method,
          url: request.url,
          headers: [...request.headers.entries()],
          redirect: request.redirect,
          has_body: body !== undefined,
        },
        body,
      );
    } catch (thrown) {
      inFlight.delete(id);
      throw new TypeError(`Network request failed: ${(thrown as Error).message}`);
    }
    signal.addEventListener('abort', abort);
  });
}

class WebSocket {
  constructor(url: string) {
    throw new Error(`WebSocket is not available in the host (${url})`);
  }
}

export function installFetch(): void {
  define('fetch', fetch);
  define('Headers', Headers);
  define('Request', Request);
  define('Response', Response);
  define('WebSocket', WebSocket);
}
