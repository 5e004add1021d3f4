// How a process in the host ends: by itself, by `process.exit`, by an error. Each case is a process of its own.
import { assert, cleanup, test, until } from '../../../scripts/host/harness';

const here = (process.argv[1] as string).replace(/\/[^/]*$/, '');

interface Ended {
  code: number | null;
  stdout: string[];
  stderr: string;
  tookMs: number;
}

async function run(fixture: string, ...args: string[]): Promise<Ended> {
  const stdout: string[] = [];
  const stderr: string[] = [];
  const started = performance.now();
  const child = __host.spawn('node', [`${here}/../../../scripts/host.mjs`, `${here}/fixtures/${fixture}.ts`, ...args], {
    env: { OMNII_HOST: process.argv[0] as string },
    onStdout: (line) => stdout.push(line),
    onStderr: (line) => stderr.push(line),
  });
  const { code } = await child.exited;
  return { code, stdout, stderr: stderr.join('\n'), tookMs: performance.now() - started };
}

test('an uncaught error ends the process with 1 and a stack in the source', async () => {
  const { code, stdout, stderr } = await run('throws-later');
  assert.equal(code, 1);
  assert.deepEqual(stdout, []);
  assert.match(stderr, /^Uncaught RangeError: exploded: late$/m);
  assert.match(stderr, /at explode \(.*\/rust\/host\/tests\/fixtures\/throws-later\.ts:5:\d+\)/);
  assert.match(stderr, /throws-later\.ts:8:\d+\)?/);
});

test('an error while the script loads ends the process with 1', async () => {
  const { code, stderr } = await run('throws-at-once');
  assert.equal(code, 1);
  assert.match(stderr, /Uncaught Error: at once\n[^]*throws-at-once\.ts:3:/);
});

test('an unhandled rejection ends the process with 1 and a stack in the source, without delay', async () => {
  const { code, stderr, tookMs } = await run('rejects');
  assert.equal(code, 1);
  assert.match(stderr, /Unhandled promise rejection: Error: nobody listens\n[^]*rejects\.ts:5:/);
  assert.match(stderr, /code: 'Alone'/);
  assert.ok(tookMs < 1900, `took ${tookMs} ms`);
});

test('a rejection that is handled late is no error', async () => {
  const { code, stdout, stderr } = await run('rejects-and-is-handled');
  assert.deepEqual([code, stdout, stderr], [0, ['handled late'], '']);
});

test('process.exit ends at once, with the code and the arguments', async () => {
  const { code, stdout, stderr } = await run('exits', 'one', '--two');
  assert.deepEqual([code, stdout, stderr], [7, ['["one","--two"]'], '']);
});

test('process.exitCode counts when nothing is left to do', async () => {
  const { code, stdout } = await run('exit-code');
  assert.deepEqual([code, stdout], [3, ['last']]);
});

test('a child does not outlive the host', async () => {
  const { code, stdout } = await run('leaves-child');
  assert.equal(code, 0);
  assert.equal(__host.exists(`/proc/${stdout[0]}/stat`), false);
});

test('a child does not outlive a host that is killed', async () => {
  const directory = __host.makeTempDirectory('host-test-');
  cleanup(() => __host.remove(directory));
  __host.writeFile(`${directory}/script.js`, "console.log(__host.spawn('sleep', ['60']).pid)");
  const lines: string[] = [];
  const child = __host.spawn(process.argv[0] as string, [`${directory}/script.js`], { onStdout: (line) => lines.push(line) });
  const pid = await until(() => lines[0] ?? '', 'the child of the child');
  child.kill(9);
  await child.exited;
  await until(() => !__host.exists(`/proc/${pid}/stat`) || zombie(pid), 'the child of the child to end');
});

/** Ended, but nobody has asked how: in a container without an init process nobody ever does. */
function zombie(pid: string): boolean {
  return / Z /.test(__host.readText(`/proc/${pid}/stat`));
}

test('promises of the module keep the process alive, an open database does not, and says so', async () => {
  const directory = __host.makeTempDirectory('host-test-');
  cleanup(() => __host.remove(directory));
  for (const notes of ['1', '2']) {
    const { code, stdout, stderr } = await run('open-database', directory);
    assert.deepEqual([code, stdout], [0, [notes]]);
    assert.match(stderr, /^omnii-host: the script has ended while 1 of its databases are open\b.*$/);
  }
});

test('a script that is not there is told in one line', async () => {
  const { code, stderr } = await run('nothing-there');
  assert.equal(code, 2);
  assert.match(stderr, /^host: there is no .*nothing-there\.ts$/);
});
