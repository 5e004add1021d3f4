// An app as somebody has it who installs the package: a copy of the example app, in any folder, that knows only the tarball.

import { execFileSync } from 'node:child_process';
import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { root } from '../root.mjs';

/** Makes it in `app` and installs what it needs, from the registry. */
export function installConsumer(app, tarball) {
  cpSync(join(root, 'example-app'), app, {
    recursive: true,
    filter: (path) => !/[\\/](node_modules|\.expo|dist|android|ios|test|flows|screenshots|metro\.config\.js|jest\.config\.js)$/.test(path),
  });
  const manifest = JSON.parse(readFileSync(join(app, 'package.json'), 'utf8'));
  const own = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  manifest.name = 'consumer';
  manifest.dependencies['@omnii/sync'] = `file:${resolve(tarball)}`;
  manifest.devDependencies = { typescript: own.devDependencies.typescript, '@types/react': own.devDependencies['@types/react'] };
  manifest.overrides = own.overrides;
  writeFileSync(join(app, 'package.json'), JSON.stringify(manifest, null, 2));
  const config = JSON.parse(readFileSync(join(app, 'tsconfig.json'), 'utf8'));
  delete config.compilerOptions.customConditions;
  config.compilerOptions.types = [];
  writeFileSync(join(app, 'tsconfig.json'), JSON.stringify(config, null, 2));
  execFileSync('npm', ['install', '--ignore-scripts', '--prefer-offline', '--no-audit', '--no-fund'], {
    cwd: app,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
    maxBuffer: 2 ** 26,
  });
}
