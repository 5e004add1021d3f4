/** The app that runs on the phone: its bundle, and what a native build would have put into the app beside it. */
import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';

export interface App {
  /** Source, or bytecode of the host's own compiler. */
  bundle: string;
  /** What app.json's `expo` says. */
  manifest: Record<string, unknown>;
  reactNativeVersion: { major: number; minor: number; patch: number; prerelease: null };
  expoModulesCoreVersion: string;
}

type Require = ReturnType<typeof createRequire>;

function versionOf(require: Require, name: string): string {
  return (JSON.parse(readFileSync(require.resolve(`${name}/package.json`), 'utf8')) as { version: string }).version;
}

/** The app of a project's folder. */
export function appOf(bundle: string, project: string): App {
  const require = createRequire(join(project, 'package.json'));
  const [major = 0, minor = 0, patch = 0] = versionOf(require, 'react-native').split('.').map(Number);
  const config = join(project, 'app.json');
  return {
    bundle,
    manifest: existsSync(config) ? (JSON.parse(readFileSync(config, 'utf8')) as { expo: Record<string, unknown> }).expo : {},
    reactNativeVersion: { major, minor, patch, prerelease: null },
    expoModulesCoreVersion: versionOf(createRequire(require.resolve('expo/package.json')), 'expo-modules-core'),
  };
}
