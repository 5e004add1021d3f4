// docs/troubleshooting.md has a heading for every error code of js/errors.ts, and for no other; and what each says about
// `retryable` is what the engine says.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { readPage, root, withoutFences } from './markdown.mjs';

const PAGE = 'docs/troubleshooting.md';

/** Answers what is wrong, and how many codes there are. */
export function checkCodes() {
  const source = readFileSync(join(root, 'js/errors.ts'), 'utf8');
  const list = /syncErrorCodes = \[([\s\S]*?)\] as const/.exec(source)?.[1] ?? '';
  const codes = [...list.matchAll(/'(\w+)'/g)].map((match) => match[1]);
  const rust = readFileSync(join(root, 'rust/core/src/error.rs'), 'utf8');
  const retried = /fn retryable[\s\S]*?matches!\(([\s\S]*?)\n {8}\)/.exec(rust)?.[1] ?? '';
  const retryable = new Set([...retried.matchAll(/Self::(\w+)/g)].map((match) => match[1]));

  // An entry: "### `Code`", and a line below that ends in "Retryable: yes." or "Retryable: no."
  const entries = new Map();
  const problems = [];
  for (const part of withoutFences(readPage(PAGE)).split(/^(?=#{1,6} )/m)) {
    const code = /^#{1,6} `(\w+)`$/m.exec(part)?.[1];
    if (code === undefined) continue;
    if (entries.has(code)) problems.push(`${PAGE}: \`${code}\` is there twice`);
    entries.set(code, /Retryable: (yes|no)\b/.exec(part)?.[1]);
  }
  if (codes.length === 0 || retryable.size === 0) problems.push('js/errors.ts or rust/core/src/error.rs has another form than this check knows');
  for (const code of codes) {
    const said = entries.get(code);
    const is = retryable.has(code) ? 'yes' : 'no';
    if (!entries.has(code)) problems.push(`${PAGE}: \`${code}\` is missing`);
    else if (said !== is) problems.push(`${PAGE}: \`${code}\` should say "Retryable: ${is}"`);
  }
  for (const code of entries.keys()) if (!codes.includes(code)) problems.push(`${PAGE}: \`${code}\` is no code of js/errors.ts`);
  return { problems, told: `${codes.length} error codes have their entries` };
}
