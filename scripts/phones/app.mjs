// A temporary copy of the example app with the native projects that `expo prebuild` makes, and what the autolinking tools say
// about it. Nothing of it needs the network: the template is in the package `expo`.

import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from '../host/hermes.mjs';

const ENV = { ...process.env, EXPO_OFFLINE: '1', EXPO_NO_TELEMETRY: '1', EXPO_NO_GIT_STATUS: '1', CI: '1' };
/** Left out of the copy: made by tools, and prebuild is to make them anew. */
const MADE = new Set(['node_modules', 'android', 'ios', 'dist', '.expo']);

/** Copies the example into `folder`, runs prebuild, answers the app's folder. `options`: those of our config plugin. */
export function prebuiltApp(folder, options) {
  const app = join(folder, 'app');
  mkdirSync(folder, { recursive: true });
  const example = join(root, 'example-app');
  cpSync(example, app, { recursive: true, filter: (path) => !MADE.has(path.slice(example.length + 1)) });
  symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'));
  if (options !== undefined) {
    const path = join(app, 'app.json');
    const config = JSON.parse(readFileSync(path, 'utf8'));
    const others = (config.expo.plugins ?? []).filter((plugin) => [plugin].flat()[0] !== '@omnii/sync');
    config.expo.plugins = [...others, ['@omnii/sync', options]];
    writeFileSync(path, JSON.stringify(config));
  }
  node(app, [join(root, 'node_modules/expo/bin/cli'), 'prebuild', '--platform', 'all', '--no-install']);
  return app;
}

/** What the Podfile and settings.gradle of the app ask for: dependencies with native code, as React Native's tools see them. */
export function autolinking(app, platform) {
  const script = "require('expo/bin/autolinking')";
  const args = ['--no-warnings', '--eval', script, 'expo-modules-autolinking', 'react-native-config', '--json', '--platform', platform];
  return JSON.parse(node(app, args));
}

/** React Native's codegen for the whole app, as `pod install` runs it. */
export function codegenForIos(app, out) {
  node(app, [join(root, 'node_modules/react-native/scripts/generate-codegen-artifacts.js'), '-p', app, '-t', 'ios', '-o', out]);
  return join(out, 'build/generated/ios/ReactCodegen');
}

function node(cwd, args) {
  try {
    return execFileSync(process.execPath, args, { cwd, env: ENV, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'], timeout: 300_000 });
  } catch (error) {
    throw new Error(`node ${args.join(' ')} failed:\n${error.stdout}\n${error.stderr}`);
  }
}
