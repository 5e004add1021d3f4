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
  logLevel: 'warning',
});
