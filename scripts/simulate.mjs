// Runs the simulator: real engines against a model of the backend, with faults, in virtual time (rust/testkit/README.md).
//
//   npm run simulate -- --seeds N [--from S]     many seeds on all cores
//   npm run simulate -- --seed S                 one, with its trace; if it fails, with the shortest schedule that does
//
// Builds in the release profile if need be. The exit code is 1 if a seed failed.

import { simulateBinary } from './cargo.mjs';
import { run } from './process.mjs';
import { setup } from './setup.mjs';

await setup({ toStderr: true });
process.exitCode = await run(simulateBinary(), process.argv.slice(2));
