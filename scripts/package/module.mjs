// The last touches on what react-native-builder-bob has made. It owns what is not the same everywhere in lib/module: which of two
// files a bundler or Node takes, by the conditions it knows.
//
// Metro tries `name.web.js` before `name.js` when it bundles for the web; webpack, Vite, rollup, esbuild and Node know nothing of
// that, and strict ones want file names in full. Package imports (`#name`) and their conditions are known to all of them.

import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Files of js/ that have a `.web` beside them. */
const SPLIT = ['NativeOmniiSync', 'deviceModules', 'reactNative'];
const IMPORT = new RegExp(`(['"])\\.{1,2}/(?:[^'"]*/)?(${SPLIT.join('|')})\\1`, 'g');

/** `lib/module`: imports of split files go by condition, and package.json says what the root's would, which counts for nothing here. */
export function finishModules(folder, { sideEffects }) {
  for (const file of sources(folder, '.js')) rewrite(file, (_, quote, name) => `${quote}#${name}${quote}`);
  const imports = {};
  for (const name of SPLIT) {
    if (!existsSync(join(folder, `${name}.web.js`))) throw new Error(`${name} is not split`);
    // Only what builds for React Native can read React Native: web, servers, Node and whatever else take the other one.
    imports[`#${name}`] = { browser: `./${name}.web.js`, 'react-native': `./${name}.js`, default: `./${name}.web.js` };
  }
  const prefix = './lib/module/';
  const own = sideEffects.filter((path) => path.startsWith(prefix)).map((path) => `./${path.slice(prefix.length)}`);
  writeFileSync(join(folder, 'package.json'), `${JSON.stringify({ type: 'module', sideEffects: own, imports }, null, 2)}\n`);
}

/** `lib/typescript`: types of split files are the same everywhere, and TypeScript's node16 wants names in full. */
export function finishTypes(folder) {
  for (const file of sources(folder, '.d.ts')) rewrite(file, (found, quote) => `${found.slice(0, -1)}.js${quote}`);
}

function sources(folder, extension) {
  return readdirSync(folder, { recursive: true }).filter((name) => name.endsWith(extension)).map((name) => join(folder, name));
}

function rewrite(file, replace) {
  const text = readFileSync(file, 'utf8');
  const changed = text.replace(IMPORT, replace);
  if (changed !== text) writeFileSync(file, changed);
}
