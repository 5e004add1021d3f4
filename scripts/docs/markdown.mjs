// Reading Markdown as far as the checks need it: the committed pages, and of a page its prose without code, its links, and the
// anchors that GitHub makes of its headings. It renders nothing.

import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The repository. */
export const root = join(dirname(fileURLToPath(import.meta.url)), '../..');

/** What is installed, built or made by others is nobody's page. */
const NOT_OURS = new Set(['node_modules', 'target', 'build', 'lib', 'dist', '.git', '.expo']);
const FENCE = /^ {0,3}(`{3,}|~{3,})([^\n]*)\n[\s\S]*?^ {0,3}\1[`~]*[ \t]*$/gm;

/** Paths of all pages, from the root of the repository. */
export function findPages(folder = '') {
  return readdirSync(join(root, folder), { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return NOT_OURS.has(entry.name) ? [] : findPages(path);
    return entry.name.endsWith('.md') ? [path] : [];
  });
}

export function readPage(path) {
  return readFileSync(join(root, path), 'utf8');
}

/** The text with fenced blocks and comments emptied; line numbers stay. */
export function withoutFences(text) {
  const emptied = (match) => match.replace(/[^\n]/g, '');
  return text.replace(FENCE, emptied).replace(/<!--[\s\S]*?-->/g, emptied);
}

/** What links and pictures point to, with the line each stands in. Code spans hold no links. */
export function linksOf(text) {
  const prose = withoutFences(text).replace(/(`+)(?:(?!\1)[^])*?\1/g, (code) => code.replace(/[^\n]/g, '.'));
  const forms = [
    /\]\(\s*<?([^()\s>]*(?:\([^()\s]*\)[^()\s>]*)*)>?(?:\s+["'(][^)]*)?\)/g, // [text](target "title")
    /^ {0,3}\[[^\]\n]+\]:\s+<?(\S+?)>?(?:\s|$)/gm, // [name]: target
    /<(?:img|a)\b[^>]*?\s(?:src|href)="([^"]*)"/g,
  ];
  return forms.flatMap((form) =>
    [...prose.matchAll(form)].map((match) => ({ target: match[1], line: prose.slice(0, match.index).split('\n').length }))
  );
}

/** The anchors of a page: those of its headings, as GitHub makes them, and those set by hand. */
export function anchorsOf(text) {
  const prose = withoutFences(text);
  const anchors = new Set([...prose.matchAll(/<a\s+(?:id|name)="([^"]+)"/g)].map((match) => match[1]));
  const used = new Map();
  for (const [, heading] of prose.matchAll(/^ {0,3}#{1,6}[ \t]+(.+?)[ \t]*#*[ \t]*$/gm)) {
    const slug = slugOf(heading);
    const before = used.get(slug) ?? 0;
    used.set(slug, before + 1);
    anchors.add(before === 0 ? slug : `${slug}-${before}`);
  }
  return anchors;
}

/** Lower case; what is no letter, digit, mark, `_`, `-` or space goes; a space becomes `-`. */
function slugOf(heading) {
  const plain = heading
    .replace(/!?\[([^\]]*)\]\([^)]*\)/g, '$1')
    .replace(/<[^>]*>/g, '')
    .trim();
  return plain.toLowerCase().replace(/[^\p{L}\p{N}\p{M}_\- ]/gu, '').replace(/ /g, '-');
}
