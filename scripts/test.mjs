// Everything that has to pass, and exactly what CI runs: formatting, lints, the tests of Rust, TypeScript, C++ and Hermes, and
// the demo as the last word.
//
//   npm test
//   npm run check     only what runs no code of ours: formatting, lints, types, documents, licences
//
// Runs all steps even if one fails; then a table and, on a line of its own, `N passed, N failed`: the tests of the steps that
// count theirs, one for each other step. The exit code is 1 if anything failed.

import { spawnSync } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { cargoEnv, HOST, hostBinary, REST, serverBinary } from './cargo.mjs';
import { run } from './process.mjs';
import { elapsed, setup } from './setup.mjs';

const MINUTE_MS = 60_000;
/** Long enough for a slow machine to compile all dependencies but Hermes, which setup has built. */
const COMPILE_MS = 45 * MINUTE_MS;
const CHECK_MS = 10 * MINUTE_MS;

/** What a terminal, or CARGO_TERM_COLOR, puts between the words. */
const COLOURS = /\x1b\[[\d;]*m/g;
const TSC = 'node_modules/typescript/bin/tsc';
const hasNextest = spawnSync('cargo', ['nextest', '--version'], { stdio: 'ignore' }).status === 0;

/** What is read and compiled, not run. `count` finds the numbers of tests in a step's output; without it a step is one test. */
const CHECKS = [
  cargo('Rust formatting', ['fmt', '--all', '--check']),
  // One profile throughout: the development profile would build Hermes a second time.
  cargo('Rust lints', ['check', ...REST, '--all-targets'], { wrapper: 'clippy', timeoutMs: COMPILE_MS }),
  cargo('Rust lints, host', ['check', ...HOST, '--all-targets'], { wrapper: 'clippy', timeoutMs: COMPILE_MS }),
  { ...cargo('Rust API reference', ['doc', '--no-deps', ...REST]), env: () => ({ ...cargoEnv(), RUSTDOCFLAGS: '-D warnings' }), timeoutMs: COMPILE_MS },
  node('Licences and sources of crates', ['scripts/check-dependencies.mjs'], { timeoutMs: COMPILE_MS }),
  node('TypeScript types', [TSC, '--noEmit']),
  node('TypeScript types, host and demo', [TSC, '--noEmit', '-p', 'rust/host/tsconfig.json']),
  node('TypeScript types, phone', [TSC, '--noEmit', '-p', 'scripts/phone']),
  node('TypeScript types, example app', [TSC, '--noEmit', '-p', 'example-app']),
  node('TypeScript lints', ['node_modules/eslint/bin/eslint.js', 'js', 'example-app/src', 'scripts/phone', 'rust/host/phone']),
  node('TypeScript API reference', ['node_modules/typedoc/bin/typedoc']),
  node('C++ against React Native’s headers', ['scripts/check-cpp.mjs']),
  node('Documents: snippets, links, error codes', ['scripts/check-docs.mjs']),
  node('Workflows', ['scripts/check-workflows.mjs']),
];

const TESTS = [
  cargo('Rust tests: compiling', ['test', ...REST, '--no-run'], { timeoutMs: COMPILE_MS }),
  ...(hasNextest
    ? [
        cargo('Rust tests', ['nextest', 'run', ...REST], { count: countNextest }),
        cargo('Rust examples in comments', ['test', ...REST, '--doc'], { count: countCargo }),
      ]
    : [cargo('Rust tests', ['test', ...REST], { count: countCargo })]),
  node('Rust tests, the engine with encryption', ['scripts/check-sqlcipher.mjs'], { count: countCargo, timeoutMs: COMPILE_MS }),
  cargo('Rust tests, host', ['test', ...HOST], { count: countCargo, timeoutMs: COMPILE_MS }),
  node('TypeScript tests', ['scripts/unit-test.mjs'], { count: countNode }),
  node('The engine as phones get it', ['scripts/check-symbols.mjs'], { timeoutMs: COMPILE_MS }),
  node('Phone builds, as far as they go here', ['scripts/check-phones.mjs'], { count: countOurs }),
  node('The package, and an app that installs it', ['scripts/check-package.mjs'], { count: countOurs, timeoutMs: 2 * CHECK_MS }),
  node('Tests on Hermes', ['scripts/host-test.mjs'], { count: countOurs }),
  node('Headless phone', ['scripts/phone-test.mjs'], { count: countNode }),
  node('Example app: components', ['scripts/example-test.mjs'], { count: countJest }),
  node('Example app: flows on phones', ['scripts/flow-test.mjs'], { count: countNode, timeoutMs: 2 * CHECK_MS }),
  node('Example app in Chromium', ['scripts/web-test.mjs'], { count: countNode, timeoutMs: 2 * CHECK_MS }),
  node('Demo', ['scripts/demo.mjs']),
];

const STEPS = process.argv.includes('--check') ? CHECKS : [...CHECKS, ...TESTS];

function cargo(name, args, { wrapper, ...options } = {}) {
  return { name, command: 'cargo', args, env: () => cargoEnv(wrapper), ...options };
}

function node(name, args, options = {}) {
  return { name, command: process.execPath, args, ...options };
}

const started = Date.now();
await setup();
// The steps need not ask cargo again.
process.env.OMNII_HOST = hostBinary();
process.env.OMNII_SERVER = serverBinary();

const results = [];
for (const [index, { name, command, args, env, count, timeoutMs = CHECK_MS }] of STEPS.entries()) {
  const begun = Date.now();
  console.log(`\n=== ${index + 1}/${STEPS.length} ${name}: ${command === 'cargo' ? 'cargo' : 'node'} ${args.join(' ')}`);
  let output = '';
  const code = await run(command, args, { env: env?.(), timeoutMs, onOutput: count && ((text) => (output += text)) });
  const { passed, failed } = verdict(code, count?.(output.replace(COLOURS, '')));
  results.push({ name, passed, failed, time: elapsed(begun) });
  console.log(`=== ${name}: ${failed === 0 ? 'ok' : 'FAILED'} (${elapsed(begun)})`);
}

/** A step that failed has a failure, whatever it counted; one that counts and found nothing to count has one, too. */
function verdict(code, counted) {
  if (!counted) return code === 0 ? { passed: 1, failed: 0 } : { passed: 0, failed: 1 };
  const { passed, failed, empty = passed + failed === 0 } = counted;
  return { passed, failed: Math.max(failed, code === 0 && !empty ? 0 : 1) };
}

function countCargo(output) {
  const lines = [...output.matchAll(/^test result: \w+\. (\d+) passed; (\d+) failed;/gm)];
  // A package may have no examples, but then cargo says so.
  return { ...sum(lines), empty: lines.length === 0 };
}

function countNextest(output) {
  const summary = /Summary .*?: *(?:(\d+) passed)?/.exec(output);
  const failed = [...output.matchAll(/Summary .*?(\d+) (?:failed|timed out)/g)];
  return { passed: Number(summary?.[1] ?? 0), failed: failed.reduce((total, [, number]) => total + Number(number), 0) };
}

function countNode(output) {
  const number = (word) => Number(new RegExp(`^ℹ ${word} (\\d+)$`, 'm').exec(output)?.[1] ?? 0);
  return { passed: number('pass'), failed: number('fail') + number('cancelled') };
}

function countJest(output) {
  const line = /^Tests: .*$/m.exec(output)?.[0] ?? '';
  const number = (word) => Number(new RegExp(`(\\d+) ${word}`).exec(line)?.[1] ?? 0);
  return { passed: number('passed'), failed: number('failed') };
}

function countOurs(output) {
  return sum([...output.matchAll(/^(\d+) passed, (\d+) failed$/gm)].slice(-1));
}

function sum(matches) {
  const total = { passed: 0, failed: 0 };
  for (const [, passed, failed] of matches) {
    total.passed += Number(passed);
    total.failed += Number(failed);
  }
  return total;
}

const width = Math.max(...results.map(({ name }) => name.length));
console.log(`\n${'Step'.padEnd(width)}  passed  failed  time`);
for (const { name, passed, failed, time } of results) {
  console.log(`${name.padEnd(width)}  ${String(passed).padStart(6)}  ${String(failed).padStart(6)}  ${time}`);
}
const total = results.reduce((all, { passed, failed }) => ({ passed: all.passed + passed, failed: all.failed + failed }), { passed: 0, failed: 0 });
console.log(`\n${elapsed(started)} on ${availableParallelism()} CPUs`);
console.log(`${total.passed} passed, ${total.failed} failed`);
process.exitCode = total.failed === 0 ? 0 : 1;
