// Turns the spec in js/ into the C++ base class of the module, with React Native's own code generator.
//
//   node scripts/codegen.mjs <outDir>
//
// Leaves `<outDir>/OmniiSyncSpecJSI.h` and nothing else. Used by rust/host/build.rs and by the C++ compile check, so that
// both compile against exactly what a phone build would generate.

import { execFileSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const spec = join(root, 'js/NativeOmniiSync.ts');
const schemaTool = join(root, 'node_modules/@react-native/codegen/lib/cli/combine/combine-js-to-schema-cli.js');
const specsTool = join(root, 'node_modules/react-native/scripts/generate-specs-cli.js');

const out = process.argv[2] && resolve(process.argv[2]);
if (!out) fail('usage: node scripts/codegen.mjs <outDir>');
if (!existsSync(schemaTool) || !existsSync(specsTool)) fail('node_modules is missing: run `npm run setup`');

const work = mkdtempSync(join(tmpdir(), 'omnii-codegen-'));
try {
  const schema = join(work, 'schema.json');
  run(schemaTool, schema, spec);
  if (!JSON.parse(readFileSync(schema, 'utf8')).modules?.NativeOmniiSync) fail(`codegen found no module in ${spec}`);
  run(specsTool, '-p', 'android', '-t', 'modules', '-s', schema, '-o', work, '-n', 'OmniiSyncSpec', '-j', 'com.omnii.sync');
  mkdirSync(out, { recursive: true });
  copyFileSync(join(work, 'jni/react/renderer/components/OmniiSyncSpec/OmniiSyncSpecJSI.h'), join(out, 'OmniiSyncSpecJSI.h'));
} finally {
  rmSync(work, { recursive: true, force: true });
}

function run(tool, ...args) {
  execFileSync(process.execPath, [tool, ...args], { cwd: root, stdio: ['ignore', 'ignore', 'inherit'] });
}

function fail(message) {
  console.error(`codegen: ${message}`);
  process.exit(1);
}
