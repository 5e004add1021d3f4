// Type-checks the README's snippets as an app would have them: one folder, `@omnii/sync` from js/, strict. A snippet is a
// fenced block behind `<!-- snippet: name -->`, where name is its file. Packages that this repository does not install are
// declared here as far as the snippets use them.

import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { run } from './process.mjs';

const root = resolve(dirname(fileURLToPath(import.meta.url)), '..');
const folder = join(root, 'build/readme');

const PACKAGES = `
declare module '@react-native-async-storage/async-storage' {
  const storage: { getItem(key: string): Promise<string | null>; setItem(key: string, value: string): Promise<void>; removeItem(key: string): Promise<void> };
  export default storage;
}
declare module '@react-native-community/netinfo' {
  const netInfo: { addEventListener(listener: (state: { isConnected: boolean | null }) => void): () => void };
  export default netInfo;
}
declare module 'expo-router' {
  export function Slot(): import('react').ReactElement;
}
`;

const readme = readFileSync(join(root, 'README.md'), 'utf8');
const snippets = [...readme.matchAll(/<!-- snippet: (\S+) -->\n```tsx?\n([\s\S]*?)```/g)];
const fences = [...readme.matchAll(/^```tsx?$/gm)].length;
if (snippets.length === 0 || snippets.length !== fences) {
  console.error(`README.md has ${fences} TypeScript blocks, of which ${snippets.length} are named`);
  process.exit(1);
}

rmSync(folder, { recursive: true, force: true });
for (const [, name, code] of snippets) {
  const file = join(folder, name);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, code);
}
writeFileSync(join(folder, 'packages.d.ts'), PACKAGES);
const config = {
  extends: '../../tsconfig.json',
  compilerOptions: { paths: { '@omnii/sync': ['../../js/index.ts'], '@omnii/sync/*': ['../../js/*/index.ts'] } },
  include: ['.'],
};
writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify(config));

const code = await run(process.execPath, [join(root, 'node_modules/typescript/bin/tsc'), '-p', folder]);
console.log(code === 0 ? `${snippets.length} snippets of README.md are right` : 'a snippet of README.md is wrong; its file is in build/readme');
process.exitCode = code;
