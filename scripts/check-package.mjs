// What `npm install @omnii/sync` brings: the tarball has what a consumer needs and nothing else, its types and exports are what
// tools expect, and an app outside of this repository installs it, type-checks, is bundled by Metro, syncs on the headless phone,
// and builds the engine from source.
//
//   node scripts/check-package.mjs
//
// Ends with `N passed, N failed`. The app is a copy of the example app that knows only the tarball. The compiled engine is not in
// the tarball here: it is added where the package is published, and the headless phone has its own.

import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { checkBundles, checkFake, checkNode } from './package/bundles.mjs';
import { installConsumer } from './package/consumer.mjs';
import { checkContents } from './package/contents.mjs';
import { checkSourceBuild } from './package/source-build.mjs';
import { root } from './root.mjs';

const work = mkdtempSync(join(tmpdir(), 'omnii-package-'));
const app = join(work, 'consumer');
let passed = 0;
let failed = 0;
let packed;

try {
  await check('the tarball has what is needed, and nothing else', () => {
    const json = npm(['pack', '--json', '--pack-destination', work], root);
    [packed] = JSON.parse(json.slice(json.indexOf('[\n')));
    checkContents(packed, join(work, packed.filename));
  });
  await check('publint has nothing to say', async () => {
    const { publint } = await import('publint');
    const { messages } = await publint({ pkgDir: root, strict: true });
    // It holds that Node reads `imports` in the root's package.json only. Node goes by the nearest one, as a check below shows.
    const isKnown = ({ code, args }) => code === 'NESTED_PACKAGE_JSON_FIELD_IGNORED' && args.field === 'imports' && args.filePath === './lib/module/package.json';
    assert.deepEqual(messages.filter((message) => !isKnown(message)), []);
  });
  await check('types resolve for bundlers and for node16', () => {
    const attw = join(root, 'node_modules/@arethetypeswrong/cli/dist/index.js');
    run(process.execPath, [attw, join(work, packed.filename), '--profile', 'esm-only'], root);
  });
  await check('an app outside of the repository installs the tarball', () => installConsumer(app, join(work, packed.filename)));
  await check('the app type-checks', () => run(process.execPath, [join(app, 'node_modules/typescript/bin/tsc'), '--noEmit'], app));
  await check('code that is resolved as in node16 type-checks', () => {
    mkdirSync(join(app, 'node16'));
    writeFileSync(join(app, 'node16/package.json'), '{"type":"module"}');
    writeFileSync(
      join(app, 'node16/index.ts'),
      "import { column, openDatabase, Schema, Table } from '@omnii/sync';\nimport { syncFake } from '@omnii/sync/jest';\n" +
        "import withOmniiSync from '@omnii/sync/app.plugin';\n" +
        "export const config: { name: string } = withOmniiSync({ name: 'app' }, { sqlcipher: true, ios: { fileProtection: 'complete' } });\n" +
        "// @ts-expect-error: there is no such option\nwithOmniiSync({}, { sqlCipher: true });\n" +
        'export const schema = new Schema({ t: new Table({ a: column.text }) });\nexport { openDatabase, syncFake };\n'
    );
    const compilerOptions = { noEmit: true, strict: true, skipLibCheck: true, module: 'node16', target: 'es2022', types: [] };
    writeFileSync(join(app, 'node16/tsconfig.json'), JSON.stringify({ compilerOptions, include: ['index.ts'] }));
    run(process.execPath, [join(app, 'node_modules/typescript/bin/tsc'), '-p', join(app, 'node16')], app);
  });
  await check('bundles hold what is used, and need no React Native on the web', () => checkBundles(app));
  await check('Node loads the package and hears that it is unsupported', () => checkNode(app));
  await check('the fake runs in plain Node', () => checkFake(app));
  await check('its bundle syncs on the headless phone', () => {
    run(process.execPath, [join(root, 'scripts/phone.mjs'), '--project', app, '--script', join(root, 'example-app/flows/story.ts')], root);
  });
  await check('it builds the engine from source, by the lock file, without the network', () => checkSourceBuild(join(app, 'node_modules/@omnii/sync'), work));
} finally {
  rmSync(work, { recursive: true, force: true });
}
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;

function npm(args, cwd) {
  return execFileSync('npm', args, { cwd, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'], maxBuffer: 2 ** 26 });
}

function run(command, args, cwd) {
  const { status, stdout, stderr } = spawnSync(command, args, { cwd, encoding: 'utf8', maxBuffer: 2 ** 26 });
  assert.equal(status, 0, `${stdout}${stderr}`);
}

async function check(name, work) {
  const began = Date.now();
  try {
    await work();
    passed += 1;
    console.log(`ok   ${name} (${((Date.now() - began) / 1000).toFixed(1)} s)`);
  } catch (error) {
    failed += 1;
    console.log(`FAIL ${name}\n${String(error?.stderr ?? '')}${error?.message ?? error}`);
  }
}
