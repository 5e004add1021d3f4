// Licences, sources, bans and known vulnerabilities of the crates, by cargo-deny with rust/deny.toml.
//
//   node scripts/check-dependencies.mjs
//
// cargo-deny is built once, from crates.io, into the cache. Advisories need their database, which is a Git repository; where it
// cannot be reached that is said and fails nothing, unless OMNII_ADVISORIES=required, as where the package is released.

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { cacheDirectory } from './cargo.mjs';
import { root } from './host/hermes.mjs';
import { withLock } from './lock.mjs';
import { run } from './process.mjs';

const VERSION = '0.20.2';
const INSTALL_MS = 30 * 60_000;
const ADVISORIES_MS = 120_000;
const tools = join(cacheDirectory, `cargo-deny-${VERSION}`);
const deny = join(tools, 'bin/cargo-deny');

await withLock(join(cacheDirectory, 'cargo-deny.lock'), () => console.log('another check is building cargo-deny, waiting for it'), install);
const shown = (await check(['licenses', 'bans', 'sources'])) === 0;
const known = shown && (await advisories());
process.exitCode = shown && known ? 0 : 1;

async function install() {
  if (existsSync(deny)) return;
  console.log(`building cargo-deny ${VERSION}, some minutes, once (into ${tools})`);
  // It runs for a second: its own speed is not worth waiting for.
  const env = { ...process.env, CARGO_PROFILE_RELEASE_LTO: 'off', CARGO_PROFILE_RELEASE_OPT_LEVEL: '1', CARGO_PROFILE_RELEASE_CODEGEN_UNITS: '16' };
  const args = ['install', 'cargo-deny', '--version', VERSION, '--locked', '--root', tools];
  if ((await run('cargo', [...args, '--quiet'], { env, timeoutMs: INSTALL_MS })) !== 0) throw new Error('cargo-deny could not be built, see above');
}

function check(what, options) {
  return cargoDeny(['check', '--hide-inclusion-graph', ...what], options);
}

function cargoDeny(args, options) {
  return run(deny, ['--manifest-path', join(root, 'Cargo.toml'), '--locked', '--config', join(root, 'rust/deny.toml'), ...args], options);
}

/** Two steps, because one would have to be told from the other by what it says, and advisories say all sorts of things. */
async function advisories() {
  let output = '';
  const fetched = await cargoDeny(['fetch', 'db'], { timeoutMs: ADVISORIES_MS, quiet: true, onOutput: (text) => (output += text) });
  if (fetched !== 0) {
    const required = process.env.OMNII_ADVISORIES === 'required';
    console.log(`advisories: NOT CHECKED, their database could not be reached${required ? `, and it is required here:\n${output}` : ''}`);
    return !required;
  }
  const known = await check(['advisories'], { timeoutMs: ADVISORIES_MS });
  if (known === 0) console.log('no known vulnerability');
  return known === 0;
}
