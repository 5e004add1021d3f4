// `__host`: files and child processes.
import { assert, cleanup, sleep, test } from '../../../scripts/host/harness';

function folder(): string {
  const path = __host.makeTempDirectory('host-test-');
  cleanup(() => __host.remove(path));
  return path;
}

test('files', () => {
  const path = folder();
  __host.writeFile(`${path}/a.txt`, 'Grüße');
  __host.writeFile(`${path}/b.bin`, new Uint8Array([1, 2, 3]).subarray(1));
  assert.equal(__host.readText(`${path}/a.txt`), 'Grüße');
  assert.deepEqual([...new Uint8Array(__host.readBytes(`${path}/b.bin`))], [2, 3]);
  assert.equal(__host.fileSize(`${path}/b.bin`), 2);
  assert.deepEqual(__host.list(path), ['a.txt', 'b.bin']);
  __host.makeDirectory(`${path}/c/d`);
  __host.remove(`${path}/c`);
  __host.remove(`${path}/c`);
  assert.equal(__host.exists(`${path}/c`), false);
  assert.throws(() => __host.readText(`${path}/none`), /none: No such file/);
});

test('a child’s lines come in order and before its end', async () => {
  const lines: string[] = [];
  const child = __host.spawn('sh', ['-c', 'echo one; echo "$WORD"; pwd; echo oops >&2; printf last; exit 3'], {
    cwd: '/',
    env: { WORD: 'two' },
    onStdout: (line) => lines.push(line),
    onStderr: (line) => lines.push(`! ${line}`),
  });
  const exit = await child.exited;
  assert.deepEqual(exit, { code: 3, signal: null });
  assert.deepEqual(lines.filter((line) => line !== '! oops'), ['one', 'two', '/', 'last']);
  assert.ok(lines.includes('! oops'));
  assert.equal(child.kill(), false);
});

test('a child can be killed', async () => {
  const child = __host.spawn('sleep', ['60']);
  await sleep(20);
  assert.equal(child.kill(), true);
  assert.deepEqual(await child.exited, { code: null, signal: 15 });
});

test('a command that is not there', () => {
  assert.throws(() => __host.spawn('/nonexistent/command'), /cannot start \/nonexistent\/command/);
});

test('the machine', () => {
  const system = __host.system();
  assert.ok(system.cpuCount >= 1);
  assert.ok(system.rssBytes > 1e6 && system.peakRssBytes >= system.rssBytes);
});
