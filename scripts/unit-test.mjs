// Runs js/test/unit under Node: each file is bundled with a fake 'react-native' and handed to `node --test`.
//
//   node scripts/unit-test.mjs [part of a file name …]

import { spawnSync } from 'node:child_process';
import { readdirSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const source = join(root, 'js/test/unit');
const out = join(root, 'build/unit');
const wanted = process.argv.slice(2);

const files = readdirSync(source).filter(
  (name) => /\.test\.tsx?$/.test(name) && (wanted.length === 0 || wanted.some((part) => name.includes(part)))
);
if (files.length === 0) {
  console.error(`no unit test matches ${wanted.join(', ')}`);
  process.exit(1);
}

rmSync(out, { recursive: true, force: true });
await build({
  entryPoints: files.map((name) => join(source, name)),
  outdir: out,
  outExtension: { '.js': '.mjs' },
  bundle: true,
  platform: 'node',
  format: 'esm',
  target: 'node20',
  jsx: 'automatic',
  sourcemap: 'inline',
  packages: 'external',
  alias: { 'react-native': join(root, 'js/test/fakes/react-native.ts') },
  logLevel: 'warning',
});

const run = spawnSync(
  process.execPath,
  ['--enable-source-maps', '--test', '--test-reporter=spec', ...files.map((name) => join(out, name.replace(/\.tsx?$/, '.mjs')))],
  { stdio: 'inherit', cwd: root }
);
process.exit(run.status ?? 1);
