// Runs js/test/unit under Node: each file is bundled with a fake 'react-native' and handed to `node --test`. Files named
// `*.web.test.tsx` are bundled for the web instead, as strictly as bundlers there can be.
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
const isForWeb = (name) => name.includes('.web.test.');
const bundle = (names, options) =>
  build({
    entryPoints: names.map((name) => join(source, name)),
    outdir: out,
    bundle: true,
    platform: 'node',
    target: 'node20',
    jsx: 'automatic',
    sourcemap: 'inline',
    logLevel: 'warning',
    ...options,
  });
await bundle(files.filter((name) => !isForWeb(name)), {
  format: 'esm',
  outExtension: { '.js': '.mjs' },
  packages: 'external',
  alias: { 'react-native': join(root, 'js/test/fakes/react-native.ts') },
});
await bundle(files.filter(isForWeb), {
  format: 'cjs',
  outExtension: { '.js': '.cjs' },
  // From ES modules, so that importing what react-native-web does not export fails here.
  mainFields: ['module', 'main'],
  resolveExtensions: ['.web.tsx', '.web.ts', '.tsx', '.ts', '.mjs', '.js', '.json'],
  external: ['react', 'react-dom'],
  alias: { 'react-native': 'react-native-web' },
});

const run = spawnSync(
  process.execPath,
  ['--enable-source-maps', '--test', '--test-reporter=spec', ...files.map((name) => join(out, name.replace(/\.tsx?$/, isForWeb(name) ? '.cjs' : '.mjs')))],
  { stdio: 'inherit', cwd: root }
);
process.exit(run.status ?? 1);
