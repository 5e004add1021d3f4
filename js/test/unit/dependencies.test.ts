// scripts/check-dependencies.mjs tells a database that cannot be reached from a vulnerability, whatever either of them says.
// A program in place of cargo-deny ends as it is told.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';

let cache: string;

before(() => {
  cache = mkdtempSync(join(tmpdir(), 'omnii-deny-'));
  const bin = join(cache, 'cargo-deny-0.20.2/bin');
  mkdirSync(bin, { recursive: true });
  const deny = join(bin, 'cargo-deny');
  writeFileSync(
    deny,
    '#!/bin/sh\ncase "$*" in\n*" fetch db") ends=$FETCH;;\n*advisories) ends=$ADVISORIES;;\n*) exit $REST;;\nesac\n[ $ends = 0 ] || echo "$SAYS" >&2\nexit $ends\n'
  );
  chmodSync(deny, 0o755);
});
after(() => {
  rmSync(cache, { recursive: true, force: true });
});

function check(ends: { fetch?: number; advisories?: number; rest?: number }, says = '', required = '') {
  const { fetch = 0, advisories = 0, rest = 0 } = ends;
  const outcome = { FETCH: String(fetch), ADVISORIES: String(advisories), REST: String(rest), SAYS: says };
  const env = { ...process.env, OMNII_CACHE_DIR: cache, OMNII_ADVISORIES: required, ...outcome };
  const { status, stdout, stderr } = spawnSync(process.execPath, ['scripts/check-dependencies.mjs'], { encoding: 'utf8', env });
  return { status, output: `${stdout}${stderr}` };
}

test('a database that cannot be reached is said, and fails only where it is required', () => {
  const unreachable = check({ fetch: 1, advisories: 1 }, 'error: could not resolve the host');
  assert.equal(unreachable.status, 0, unreachable.output);
  assert.match(unreachable.output, /advisories: NOT CHECKED.*\n/);
  const required = check({ fetch: 1 }, 'error: could not resolve the host', 'required');
  assert.equal(required.status, 1);
  assert.match(required.output, /could not resolve the host/);
});

test('a vulnerability fails, though its text speaks of what cannot be fetched', () => {
  const found = check({ advisories: 1 }, 'error[vulnerability]: h2 is unable to open a stream after it failed to fetch');
  assert.equal(found.status, 1, found.output);
  assert.match(found.output, /error\[vulnerability\]/);
});

test('what is clean passes, and what is wrong with a licence fails', () => {
  assert.deepEqual(check({}), { status: 0, output: 'no known vulnerability\n' });
  assert.equal(check({ rest: 4 }).status, 1);
});
