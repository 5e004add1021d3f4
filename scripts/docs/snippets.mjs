// Type-checks the snippets of README.md and docs/*.md as an app would have them: one folder for all, `@omnii/sync` from js/,
// strict. A snippet is a fenced block behind `<!-- snippet: name -->`, where name is its file; so a guide may import what another
// page declares. Packages that this repository does not install are declared here as far as the snippets use them.

import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { run } from '../process.mjs';
import { findPages, readPage, root } from './markdown.mjs';

const folder = join(root, 'build/docs');

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
declare module 'expo-secure-store' {
  export function getItemAsync(key: string): Promise<string | null>;
  export function setItemAsync(key: string, value: string): Promise<void>;
}
`;

/** Answers what is wrong, and how many snippets there are. */
export async function checkSnippets() {
  const problems = [];
  const pages = new Map();
  rmSync(folder, { recursive: true, force: true });
  for (const page of findPages().filter((path) => path === 'README.md' || /^docs\/[^/]+$/.test(path))) {
    const text = readPage(page);
    const snippets = [...text.matchAll(/<!-- snippet: (\S+) -->\n```tsx?\n([\s\S]*?)^```/gm)];
    const fences = [...text.matchAll(/^```tsx?\b/gm)].length;
    if (snippets.length !== fences) problems.push(`${page} has ${fences} TypeScript blocks, of which ${snippets.length} are named`);
    for (const [, name, code] of snippets) {
      if (pages.has(name)) problems.push(`${page}: a snippet '${name}' is in ${pages.get(name)} already`);
      pages.set(name, page);
      const file = join(folder, name);
      mkdirSync(dirname(file), { recursive: true });
      writeFileSync(file, code);
    }
  }
  writeFileSync(join(folder, 'packages.d.ts'), PACKAGES);
  const config = {
    extends: '../../tsconfig.json',
    compilerOptions: { paths: { '@omnii/sync': ['../../js/index.ts'], '@omnii/sync/*': ['../../js/*/index.ts'] } },
    include: ['.'],
  };
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify(config));

  let output = '';
  const tsc = [join(root, 'node_modules/typescript/bin/tsc'), '--pretty', 'false', '-p', folder];
  const code = await run(process.execPath, tsc, { onOutput: (text) => (output += text), quiet: true });
  const lines = output.split('\n').filter((line) => line.trim() !== '');
  // The page is what has to be mended; the file is there to be looked at.
  problems.push(...lines.map((line) => line.replace(/^build\/docs\/([^(]+)/, (path, name) => `${pages.get(name) ?? 'docs'}: ${path}`)));
  if (code !== 0 && lines.length === 0) problems.push(`tsc ended with ${code}`);
  return { problems, told: `${pages.size} snippets compile` };
}
