// What stands between a tag and npm, shown to refuse and to let through: the size of the engine by ABI, and the name of the
// repository. Stand-ins replace what only a release has.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';

const root = process.cwd();
let work: string;

before(() => {
  work = mkdtempSync(join(tmpdir(), 'omnii-release-'));
});
after(() => {
  rmSync(work, { recursive: true, force: true });
});

function run(command: string, args: string[], env: Record<string, string> = {}) {
  const { status, stdout, stderr, error } = spawnSync(command, args, { encoding: 'utf8', env: { ...process.env, ...env } });
  if (error) throw error;
  return { status, output: `${stdout}${stderr}` };
}

test('the engine may be larger where only emulators are', () => {
  const engine = (abi: string, bytes: number) => {
    const folder = join(work, abi);
    mkdirSync(folder, { recursive: true });
    const source = join(folder, 'one.cpp');
    writeFileSync(source, `namespace omnii { const char *one() { static const char all[${bytes}] = {1}; return all; } }\n`);
    assert.equal(run('g++', ['-fPIC', '-c', source, '-o', join(folder, 'one.o')]).status, 0);
    assert.equal(run('ar', ['crs', join(folder, 'libomnii_sync.a'), join(folder, 'one.o')]).status, 0);
    return run(process.execPath, [join(root, 'scripts/phones/check-library.mjs'), join(folder, 'libomnii_sync.a'), '--compiler', 'g++']);
  };
  const emulator = engine('x86_64', 4_700_000);
  assert.equal(emulator.status, 0, emulator.output);
  assert.match(emulator.output, /^\| x86_64\/libomnii_sync\.a \| 4\.\d\d MB \| 16 KB \|$/m);
  const phone = engine('arm64-v8a', 4_100_000);
  assert.equal(phone.status, 0, phone.output);
  assert.match(engine('arm64-v8a', 4_700_000).output, /takes \d+ bytes of an app, more than 4194304/);
  assert.equal(engine('x86_64', 5_000_000).status, 1);
});

test('a tag is that of package.json, which names the repository that the workflow runs in', () => {
  for (const folder of ['phones', 'package', 'docs', 'root.mjs']) cpSync(join(root, 'scripts', folder), join(work, 'scripts', folder), { recursive: true });
  const tag = (manifest: object, name = 'v1.2.3') => {
    writeFileSync(join(work, 'package.json'), JSON.stringify({ version: '1.2.3', ...manifest }));
    return run(process.execPath, [join(work, 'scripts/phones/release.mjs'), 'tag', name], { GITHUB_REPOSITORY: 'them/sync' });
  };
  const repository = { type: 'git', url: 'git+https://github.com/them/sync.git' };
  assert.deepEqual(tag({ repository }), { status: 0, output: '' });
  const url = 'repository\\.url=git\\+https://github\\.com/them/sync\\.git';
  assert.match(tag({}).output, new RegExp(`^release tag: package\\.json has no "repository"; npm pkg set .*${url} .*\\n$`));
  assert.match(tag({ repository: { url: 'git+https://github.com/others/sync.git' } }).output, new RegExp(`others/sync.*${url}`));
  assert.match(tag({ repository }, 'v1.2.4').output, /the tag is v1\.2\.4, package\.json has 1\.2\.3/);
});
