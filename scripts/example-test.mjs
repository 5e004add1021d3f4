// Runs the unit tests of the example app's components: jest-expo, @testing-library/react-native, and the package's own fake
// of the native module.
//
//   node scripts/example-test.mjs [jest's arguments …]

import { spawnSync } from 'node:child_process';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { exampleApp } from './export-app.mjs';

const jest = createRequire(join(exampleApp, 'package.json')).resolve('jest/bin/jest');
const { status } = spawnSync(process.execPath, [jest, '--ci', ...process.argv.slice(2)], { cwd: exampleApp, stdio: 'inherit' });
process.exit(status ?? 1);
