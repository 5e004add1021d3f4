// The documents say what is so: snippets compile, links lead somewhere, every error code has its entry.
//
//   node scripts/check-docs.mjs
//
// What each check looks at is in scripts/docs/. Ends with 1 if anything is wrong, after saying all of it.

import { checkCodes } from './docs/codes.mjs';
import { checkLinks } from './docs/links.mjs';
import { checkSnippets } from './docs/snippets.mjs';

for (const check of [checkSnippets, checkLinks, checkCodes]) {
  const { problems, told } = await check();
  for (const problem of problems) console.error(problem);
  if (problems.length > 0) process.exitCode = 1;
  else console.log(told);
}
