// The headless phone: exports an Expo app, starts it on desktop Hermes with the real native module, and runs a flow.
//
//   npm run phone -- [--script flow.ts] [--bundle path] [--project folder] [--verbose]
//
// Without a script it is example-app/flows/story.ts, which signs in and tells what it sees; without a bundle the app is
// exported, by default example-app. A flow is TypeScript for Node that imports `@omnii/phone` (scripts/phone/index.ts). Its
// exit code is ours.

import { parseArgs } from 'node:util';
import { join } from 'node:path';
import { root } from './host/hermes.mjs';
import { userPath } from './host/run.mjs';
import { run } from './process.mjs';
import { setup } from './setup.mjs';

let options;
try {
  options = parseArgs({
    options: {
      script: { type: 'string', default: join(root, 'example-app/flows/story.ts') },
      bundle: { type: 'string' },
      project: { type: 'string' },
      verbose: { type: 'boolean', default: false },
    },
  }).values;
} catch (error) {
  console.error(`phone: ${error.message}\nusage: npm run phone -- [--script flow.ts] [--bundle path] [--project folder] [--verbose]`);
  process.exit(2);
}

await setup({ toStderr: true });
// Needs esbuild, which setup has installed.
const { bundleFlows, phoneEnvironment } = await import('./phone/build.mjs');
const { bundle, project } = options;
const env = { ...process.env, ...(await phoneEnvironment({ bundle: bundle && userPath(bundle), project: project && userPath(project) })) };
if (options.verbose) env.OMNII_PHONE_VERBOSE = '1';
const [flow] = await bundleFlows([userPath(options.script)]);
process.exitCode = await run(process.execPath, ['--enable-source-maps', flow], { env });
