// Builds the engine from the sources of an installed package, with its own scripts, as a phone build does, but for this machine,
// which has no NDK and is no Mac: nothing of the repository and nothing from the network is used but cargo's registry cache.

import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { root } from '../root.mjs';

const TARGET = 'x86_64-unknown-linux-gnu';

/** `installed`: the package's folder in node_modules. `work`: a folder for what this makes. */
export async function checkSourceBuild(installed, work) {
  const script = (name) => import(pathToFileURL(join(installed, 'scripts/phones', name)).href);
  const [{ buildEngine }, { copyBridge, HEADERS }, { foreignSymbols, hideSymbols }] = await Promise.all(
    ['build-engine.mjs', 'bridge.mjs', 'hide-symbols.mjs'].map(script)
  );
  assert.equal(cargoVersion(installed), JSON.parse(readFileSync(join(installed, 'package.json'), 'utf8')).version);

  const before = listing(installed);
  const lock = readFileSync(join(installed, 'Cargo.lock'), 'utf8');
  assert.equal(lock, readFileSync(join(root, 'Cargo.lock'), 'utf8'), 'the versions are not those that were tested');
  const { library, include } = buildEngine(TARGET, join(work, 'engine'), {
    env: { CARGO_NET_OFFLINE: 'true', RUSTC_WORKSPACE_WRAPPER: wrapper(installed) },
  });
  assert.deepEqual(listing(installed), before, 'the build has left something in the package or changed it');

  const hidden = join(work, 'libomnii_sync.a');
  hideSymbols(library, hidden);
  assert.deepEqual(foreignSymbols(hidden), [], 'exported though not ours');
  copyBridge(include, join(work, 'bridge'));
  for (const header of HEADERS) {
    const [made, shipped] = [join(work, 'bridge', header), join(installed, 'cpp/bridge', header)].map((path) => readFileSync(path, 'utf8'));
    assert.equal(made, shipped, `${header} is another one than in the package`);
  }
}

/**
 * Calls the package's own wrapper, from a place that is the same each time: cargo makes its path part of the names of what it
 * builds, and the folder of the installed package is another one each time, so that the cache would grow with every run. The
 * files of a package are as new as their installation, so cargo cannot take an older build for theirs.
 */
function wrapper(installed) {
  const path = join(root, 'build/installed-rustc');
  mkdirSync(join(root, 'build'), { recursive: true });
  writeFileSync(path, `#!/usr/bin/env bash\nexec '${join(installed, 'scripts/cargo/rustc')}' "$@"\n`);
  chmodSync(path, 0o755);
  return path;
}

/** A package whose crates had the version of another one would be built of the other one's results. */
function cargoVersion(installed) {
  return /^version = "(.+)"$/m.exec(readFileSync(join(installed, 'Cargo.toml'), 'utf8'))[1];
}

/** Names, sizes and times. */
function listing(folder) {
  return readdirSync(folder, { recursive: true })
    .map((name) => [name, statSync(join(folder, name))])
    .map(([name, { size, mtimeMs, mode }]) => `${name} ${size} ${mtimeMs} ${mode}`);
}
