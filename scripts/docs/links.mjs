// Every relative link of every page leads to something: the file is there, and so is the heading. Addresses with a scheme are
// left alone: nothing here goes to the network.

import { existsSync, statSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { anchorsOf, findPages, linksOf, readPage, root } from './markdown.mjs';

/** Answers what is wrong, and how many links were looked at. */
export function checkLinks() {
  const problems = [];
  const anchors = new Map();
  let count = 0;
  for (const page of findPages()) {
    for (const { target, line } of linksOf(readPage(page))) {
      if (/^[a-z][a-z\d+.-]*:/i.test(target)) continue;
      count += 1;
      const wrong = problemOf(page, target, anchors);
      if (wrong) problems.push(`${page}:${line}: ${target}: ${wrong}`);
    }
  }
  return { problems, told: `${count} links lead somewhere` };
}

function problemOf(page, target, anchors) {
  const [path, anchor] = target.split('#', 2);
  const file = path === '' ? page : normalize(join(dirname(page), decodeURI(path)));
  if (path.startsWith('/') || file.startsWith('..')) return 'leads out of the repository';
  if (!existsSync(join(root, file))) return 'there is no such file';
  if (anchor === undefined) return undefined;
  if (!file.endsWith('.md') || statSync(join(root, file)).isDirectory()) return 'only pages have headings';
  if (!anchors.has(file)) anchors.set(file, anchorsOf(readPage(file)));
  return anchors.get(file).has(decodeURI(anchor)) ? undefined : `${file} has no such heading`;
}
