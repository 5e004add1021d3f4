// The example app's Metro configuration with one difference: where the app imports `@omnii/sync`, the fake native module comes
// first. Only scripts/screenshots.mjs exports with this (EXPO_OVERRIDE_METRO_CONFIG); the app itself knows nothing of it.

const { existsSync } = require('node:fs');
const { createRequire } = require('node:module');
const { join, resolve } = require('node:path');

const root = resolve(__dirname, '../..');
const app = join(root, 'example-app');
const withFake = join(__dirname, 'withFake.ts');

const own = join(app, 'metro.config.js');
const config = existsSync(own) ? require(own) : createRequire(join(app, 'package.json'))('expo/metro-config').getDefaultConfig(app);

const { resolveRequest } = config.resolver;
module.exports = {
  ...config,
  watchFolders: [...new Set([...config.watchFolders, __dirname])],
  resolver: {
    ...config.resolver,
    resolveRequest: (context, name, platform) =>
      name === '@omnii/sync' && context.originModulePath !== withFake
        ? { type: 'sourceFile', filePath: withFake }
        : (resolveRequest ?? context.resolveRequest)(context, name, platform),
  },
};
