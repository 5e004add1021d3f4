// Bundles rust/host/prelude into one script for Hermes. Called by rust/host/build.rs.
//
//   node scripts/host/bundle-prelude.mjs <outFile>

import { build } from 'esbuild';
import { join } from 'node:path';
import { hermesOptions, root } from './hermes.mjs';

await build({
  ...hermesOptions,
  entryPoints: [join(root, 'rust/host/prelude/index.ts')],
  outfile: process.argv[2],
  sourcemap: false,
  // package.json says that our modules have no side effects; those of the prelude have nothing else.
  ignoreAnnotations: true,
  logLevel: 'warning',
});
