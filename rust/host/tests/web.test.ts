// The rest of the web's names that libraries expect.
import { assert, sleep, test } from '../../../scripts/host/harness';

test('URL and URLSearchParams', () => {
  const url = new URL('../b?x=1#h', 'http://user:pw@example.com:8080/a/c');
  assert.equal(url.href, 'http://user:pw@example.com:8080/b?x=1#h');
  url.searchParams.append('y', 'ä&');
  assert.equal(url.search, '?x=1&y=%C3%A4%26');
  assert.deepEqual([...new URLSearchParams('a=1&a=2&b=')], [['a', '1'], ['a', '2'], ['b', '']]);
  assert.throws(() => new URL('no url'), { name: 'TypeError' });
});

test('text to bytes and back', () => {
  const text = 'aé∀😀';
  const bytes = new TextEncoder().encode(text);
  assert.deepEqual([...bytes], [97, 195, 169, 226, 136, 128, 240, 159, 152, 128]);
  assert.equal(new TextDecoder().decode(bytes), text);
  const decoder = new TextDecoder();
  let streamed = '';
  for (const byte of bytes) streamed += decoder.decode(new Uint8Array([byte]), { stream: true });
  assert.equal(streamed + decoder.decode(), text);
  assert.equal(new TextDecoder().decode(new Uint8Array([0xef, 0xbb, 0xbf, 0x41, 0xff])), 'A\ufffd');
  assert.throws(() => new TextDecoder('utf-8', { fatal: true }).decode(new Uint8Array([0xff])), { name: 'TypeError' });
  assert.equal(atob(btoa('\x00ÿ')), '\x00ÿ');
});

test('crypto', () => {
  assert.match(crypto.randomUUID(), /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  const words = crypto.getRandomValues(new Uint32Array(64));
  assert.ok(new Set(words).size > 60);
});

test('structuredClone', () => {
  const value = { date: new Date(5), map: new Map([[1, { deep: [1n, undefined] }]]), list: new Set(['x']) };
  const copy = structuredClone(value);
  assert.deepEqual(copy, value);
  assert.ok(copy.map !== value.map);
});

test('events', () => {
  const target = new EventTarget();
  const heard: string[] = [];
  const listener = (event: Event) => heard.push(event.type);
  target.addEventListener('ping', listener, { once: true });
  target.dispatchEvent(new Event('ping'));
  target.dispatchEvent(new Event('ping'));
  assert.deepEqual(heard, ['ping']);
});

test('abort signals', async () => {
  const controller = new AbortController();
  const any = AbortSignal.any([controller.signal, AbortSignal.timeout(5)]);
  let reason: unknown;
  any.addEventListener('abort', () => (reason = any.reason));
  await sleep(20);
  assert.equal((reason as Error).name, 'TimeoutError');
  assert.throws(() => any.throwIfAborted(), { name: 'TimeoutError' });
  controller.abort('mine');
  assert.equal(controller.signal.reason, 'mine');
});

test('what there is not', () => {
  assert.equal(typeof (globalThis as Record<string, unknown>)['localStorage'], 'undefined');
  assert.equal(typeof (globalThis as Record<string, unknown>)['__native'], 'undefined');
  assert.throws(() => new WebSocket('ws://localhost'), /not available/);
});

test('ES2022 with private members, class fields and static blocks', () => {
  class Counter {
    static made = 0;
    #count = 0;
    static {
      Counter.made = 10;
    }
    constructor() {
      Counter.made += 1;
    }
    get next() {
      return ++this.#count;
    }
    static is(value: object) {
      return #count in value;
    }
  }
  const counter = new Counter();
  assert.deepEqual([counter.next, counter.next, Counter.made, Counter.is(counter), Counter.is({})], [1, 2, 11, true, false]);
});
