// Tests of the headless phone itself: scripts/phone/test, with an app without React.
//
//   node scripts/phone-test.mjs

import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { root } from './host/hermes.mjs';
import { bundleFlows, phoneEnvironment } from './phone/build.mjs';

const folder = join(root, 'scripts/phone/test');
const env = { ...process.env, ...(await phoneEnvironment({ bundle: join(folder, 'fixture.js') })) };
const tests = await bundleFlows([join(folder, 'phone.test.ts')]);
const { status } = spawnSync(process.execPath, ['--enable-source-maps', '--test', '--test-reporter=spec', ...tests], { stdio: 'inherit', cwd: root, env });
process.exit(status ?? 1);
