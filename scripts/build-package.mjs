// Builds what the npm package has besides its sources: lib/, by react-native-builder-bob, and the header of the Rust bridge.
// `npm pack` and `npm publish` call it.
//
//   npm run build

import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './host/hermes.mjs';

const bob = join(root, 'node_modules/react-native-builder-bob/bin/bob');
execFileSync(process.execPath, [bob, 'build'], { cwd: root, stdio: ['ignore', 2, 2] });

// bob leaves imports of files that exist for several platforms without an extension, which is right for bundlers. Types are the
// same on all of them, and TypeScript's node16 wants one.
const types = join(root, 'lib/typescript');
for (const name of readdirSync(types, { recursive: true }).filter((file) => file.endsWith('.d.ts'))) {
  const file = join(types, name);
  const text = readFileSync(file, 'utf8');
  const named = text.replace(/(['"])(\.{1,2}\/(?:.*\/)?NativeOmniiSync)\1/g, '$1$2.js$1');
  if (named !== text) writeFileSync(file, named);
}
execFileSync(process.execPath, [join(root, 'scripts/phones/copy-bridge.mjs')], { cwd: root, stdio: ['ignore', 2, 2] });
