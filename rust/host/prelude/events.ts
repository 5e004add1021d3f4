/** `Event`, `EventTarget` (event-target-shim) and on top of them `DOMException`, `AbortController`, `AbortSignal`, and a small `MessageChannel`. */
import { Event, EventTarget } from 'event-target-shim';
import { define } from './native';

export class DOMException extends Error {
  constructor(message = '', name = 'Error') {
    super(message);
    this.name = name;
  }

  get code(): number {
    return this.name === 'AbortError' ? 20 : this.name === 'TimeoutError' ? 23 : 0;
  }
}

const MAKE = Symbol('only AbortController makes signals');

export class AbortSignal extends EventTarget {
  aborted = false;
  reason: unknown = undefined;
  onabort: ((event: Event) => void) | null = null;

  constructor(key?: symbol) {
    super();
    if (key !== MAKE) throw new TypeError('Illegal constructor');
  }

  throwIfAborted(): void {
    if (this.aborted) throw this.reason;
  }

  static abort(reason?: unknown): AbortSignal {
    const controller = new AbortController();
    controller.abort(reason);
    return controller.signal;
  }

  static timeout(delayMs: number): AbortSignal {
    const controller = new AbortController();
    setTimeout(() => controller.abort(new DOMException('The operation timed out', 'TimeoutError')), delayMs);
    return controller.signal;
  }

  static any(signals: Iterable<AbortSignal>): AbortSignal {
    const controller = new AbortController();
    for (const signal of signals) {
      if (signal.aborted) {
        controller.abort(signal.reason);
        break;
      }
      signal.addEventListener('abort', () => controller.abort(signal.reason));
    }
    return controller.signal;
  }
}

export class AbortController {
  readonly signal = new AbortSignal(MAKE);

  abort(reason: unknown = new DOMException('The operation was aborted', 'AbortError')): void {
    const { signal } = this;
    if (signal.aborted) return;
    signal.aborted = true;
    signal.reason = reason;
    const event = new Event('abort');
    signal.onabort?.(event);
    signal.dispatchEvent(event);
  }
}

interface MessagePort {
  onmessage: ((event: { data: unknown }) => void) | null;
  postMessage(data: unknown): void;
}

/** As much as React's `act` needs to get a task of its own; phones have none. Nothing is cloned. */
class MessageChannel {
  readonly port1: MessagePort;
  readonly port2: MessagePort;

  constructor() {
    const connect = (to: () => MessagePort): MessagePort => ({
      onmessage: null,
      postMessage: (data) => void setImmediate(() => to().onmessage?.({ data })),
    });
    this.port1 = connect(() => this.port2);
    this.port2 = connect(() => this.port1);
  }
}

export function installEvents(): void {
  define('Event', Event);
  define('EventTarget', EventTarget);
  define('DOMException', DOMException);
  define('AbortController', AbortController);
  define('AbortSignal', AbortSignal);
  define('MessageChannel', MessageChannel);
}
