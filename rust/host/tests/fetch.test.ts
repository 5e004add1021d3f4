// `fetch` against a real server on the loopback interface.
import { assert, cleanup, sleep, test, until } from '../../../scripts/host/harness';

const here = (process.argv[1] as string).replace(/\/[^/]*$/, '');

async function server(): Promise<{ url: string; lines: string[]; stop: () => Promise<void> }> {
  const lines: string[] = [];
  const child = __host.spawn('node', [`${here}/fixtures/echo-server.mjs`], { onStdout: (line) => lines.push(line) });
  const stop = async () => {
    child.kill();
    await child.exited;
  };
  cleanup(stop);
  const url = await until(() => lines[0] ?? '', 'the server to start');
  return { url, lines, stop };
}

interface Echo {
  method: string;
  url: string;
  headers: Record<string, string>;
  body: string;
}

test('sends method, headers and body, and reads the answer', async () => {
  const { url } = await server();
  const response = await fetch(`${url}/echo?q=ä b`, {
    method: 'patch',
    headers: { 'X-Custom': 'value', authorization: 'Bearer t' },
    body: JSON.stringify({ text: 'Grüße 🌍' }),
  });
  assert.equal(response.status, 200);
  assert.equal(response.ok, true);
  assert.equal(response.headers.get('Content-Type'), 'application/json');
  assert.equal(response.headers.get('x-twice'), 'one, two');
  const echo = (await response.json()) as Echo;
  assert.equal(echo.method, 'PATCH');
  assert.equal(echo.url, '/echo?q=%C3%A4%20b');
  assert.equal(echo.headers['x-custom'], 'value');
  assert.equal(echo.headers['authorization'], 'Bearer t');
  assert.equal(echo.headers['content-type'], 'text/plain;charset=UTF-8');
  assert.equal(echo.body, '{"text":"Grüße 🌍"}');
  await assert.rejects(response.text(), /already been read/);
});

test('form fields and a Request object', async () => {
  const { url } = await server();
  const request = new Request(`${url}/echo`, { method: 'POST', body: new URLSearchParams({ a: '1', b: 'x y' }) });
  const echo = (await (await fetch(request)).json()) as Echo;
  assert.equal(echo.headers['content-type'], 'application/x-www-form-urlencoded;charset=UTF-8');
  assert.equal(echo.body, 'a=1&b=x+y');
});

test('bytes go and come unharmed', async () => {
  const { url } = await server();
  const bytes = new Uint8Array(100_000).map((_, i) => i * 7);
  const response = await fetch(`${url}/bytes`, { method: 'POST', body: bytes.subarray(10) });
  assert.deepEqual(await response.clone().arrayBuffer(), bytes.slice(10).buffer);
});

test('a status of the server is an answer, not an error', async () => {
  const { url } = await server();
  for (const code of [204, 304, 401, 413, 503]) {
    const response = await fetch(`${url}/status?code=${code}`);
    assert.equal(response.status, code);
    assert.equal(response.ok, code === 204);
    assert.equal(await response.text(), '');
  }
});

test('redirects are followed, or not', async () => {
  const { url } = await server();
  const followed = await fetch(`${url}/redirect`);
  assert.equal(followed.redirected, true);
  assert.equal(followed.url, `${url}/echo?redirected`);
  assert.equal((await fetch(`${url}/redirect`, { redirect: 'manual' })).status, 302);
  await assert.rejects(fetch(`${url}/redirect`, { redirect: 'error' }), { name: 'TypeError' });
});

test('an abort rejects with AbortError and closes the connection', async () => {
  const { url, lines } = await server();
  const controller = new AbortController();
  const promise = fetch(`${url}/never`, { signal: controller.signal });
  await sleep(50);
  controller.abort();
  await assert.rejects(promise, { name: 'AbortError' });
  await until(() => lines.includes('closed /never'), 'the connection to close');
  await assert.rejects(fetch(`${url}/echo`, { signal: controller.signal }), { name: 'AbortError' });
});

test('AbortSignal.timeout and a reason of one’s own', async () => {
  const { url } = await server();
  await assert.rejects(fetch(`${url}/never`, { signal: AbortSignal.timeout(20) }), { name: 'TimeoutError' });
  await assert.rejects(fetch(`${url}/never`, { signal: AbortSignal.abort(new Error('mine')) }), 'mine');
});

test('a network failure is a TypeError without the address', async () => {
  const { url, stop } = await server();
  await assert.rejects(fetch(`${url}/half`), { name: 'TypeError', message: /^Network request failed: / });
  await stop();
  const error = (await assert.rejects(fetch(`${url}/echo?secret`), {
    name: 'TypeError',
    message: /^Network request failed: .*refused/i,
  })) as Error;
  assert.ok(!error.message.includes('secret'));
  await assert.rejects(fetch('nonsense'), { name: 'TypeError' });
});
