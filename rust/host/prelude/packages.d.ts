// Types of the bundled packages that come without any (or, event-target-shim, without reachable ones), as far as they are used.

declare module 'event-target-shim' {
  class Event {
    constructor(type: string);
    readonly type: string;
  }
  class EventTarget {
    addEventListener(type: string, listener: (event: Event) => void, options?: { once?: boolean }): void;
    removeEventListener(type: string, listener: (event: Event) => void): void;
    dispatchEvent(event: Event): boolean;
  }
  export { Event, EventTarget };
}

declare module '@ungap/structured-clone' {
  export default function structuredClone<T>(value: T): T;
}

declare module 'whatwg-url-without-unicode' {
  const whatwg: { URL: typeof globalThis.URL; URLSearchParams: typeof globalThis.URLSearchParams };
  export const URL: typeof whatwg.URL;
  export const URLSearchParams: typeof whatwg.URLSearchParams;
}
