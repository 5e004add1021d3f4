// Runs a script on Hermes with the native module `OmniiSync`, as a phone would but for the phone.
//
//   npm run host -- path/to/script.ts [arguments…]
//
// Builds the host first where that is needed. The exit code is the script's.

import { existsSync } from 'node:fs';
import { runScript, userPath } from './host/run.mjs';

const [script, ...args] = process.argv.slice(2);
if (!script) {
  console.error('usage: npm run host -- path/to/script.ts [arguments…]');
  process.exit(2);
}
const path = userPath(script);
if (!existsSync(path)) {
  console.error(`host: there is no ${path}`);
  process.exit(2);
}
try {
  process.exitCode = await runScript(path, args);
} catch (error) {
  // esbuild has printed what is wrong with the script.
  if (!error?.errors) console.error(`host: ${error.message}`);
  process.exitCode = 2;
}
