// Builds what the npm package has besides its sources: lib/, by react-native-builder-bob, and the header of the Rust bridge.
// `npm pack` and `npm publish` call it.
//
//   npm run build

import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './host/hermes.mjs';
import { finishModules, finishTypes } from './package/module.mjs';

const bob = join(root, 'node_modules/react-native-builder-bob/bin/bob');
execFileSync(process.execPath, [bob, 'build'], { cwd: root, stdio: ['ignore', 2, 2] });

finishModules(join(root, 'lib/module'), JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')));
finishTypes(join(root, 'lib/typescript'));
execFileSync(process.execPath, [join(root, 'scripts/phones/copy-bridge.mjs')], { cwd: root, stdio: ['ignore', 2, 2] });
