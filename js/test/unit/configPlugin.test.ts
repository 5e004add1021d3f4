// The Expo config plugin (app.plugin.js) on the native projects of Expo's own template, written by Expo's own tools.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import type * as Plugins from 'expo/config-plugins';
import type { Options } from '../../../app.plugin.js';

// Not through the bundler: both are CommonJS, which Expo's CLI reads as it is.
const require = createRequire(join(process.cwd(), 'package.json'));
const { compileModsAsync, withAndroidManifest, withGradleProperties, withPodfileProperties } = require('expo/config-plugins') as typeof Plugins;
type ConfigPlugin<T> = Plugins.ConfigPlugin<T>;
const withOmniiSync = require('./app.plugin.js') as ConfigPlugin<unknown>;

const GRADLE = 'android/gradle.properties';
const PODS = 'ios/Podfile.properties.json';
const PLIST = 'ios/HelloWorld/Info.plist';
const MANIFEST = 'android/app/src/main/AndroidManifest.xml';
const security = (type: string) => `android/app/src/${type}/res/xml/omnii_sync_network_security.xml`;

let work: string;
let template: string;
let count = 0;

before(() => {
  work = mkdtempSync(join(tmpdir(), 'omnii-plugin-'));
  execFileSync('tar', ['-xzf', join(process.cwd(), 'node_modules/expo/template.tgz'), '-C', work]);
  template = join(work, 'package');
});
after(() => {
  rmSync(work, { recursive: true, force: true });
});

/** A prebuild of a project, of the template if none is given; answers its folder. */
async function prebuild(options?: unknown, project = join(work, `app${++count}`), plugin: ConfigPlugin<unknown> = withOmniiSync) {
  if (!existsSync(project)) cpSync(template, project, { recursive: true });
  const app = { name: 'HelloWorld', slug: 'hello', ios: {}, android: {}, _internal: { projectRoot: project } };
  await compileModsAsync(plugin(app, options), { projectRoot: project, platforms: ['ios', 'android'] });
  return project;
}

function read(project: string, path: string) {
  return readFileSync(join(project, path), 'utf8');
}

/** The sums of all files, by path. */
function sums(project: string) {
  const files = readdirSync(project, { recursive: true, encoding: 'utf8' }).filter((name) => statSync(join(project, name)).isFile());
  const sum = (name: string) => createHash('sha256').update(readFileSync(join(project, name))).digest('hex');
  return Object.fromEntries(files.map((name) => [name, sum(name)]));
}

function setting(project: string, name: string) {
  const pods = JSON.parse(read(project, PODS)) as Record<string, unknown>;
  const lines = [...read(project, GRADLE).matchAll(new RegExp(`^omniiSync\\.${name}=(.*)$`, 'gm'))].map(([, value]) => value);
  assert.ok(lines.length < 2, `${name} is set ${lines.length} times`);
  assert.equal(pods[`omniiSync.${name}`], lines[0], 'both platforms are told the same');
  return lines[0];
}

const DEFAULTS = { buildFromSource: false, sqlcipher: false, fts5: true, android: { cleartextHosts: [] }, ios: { backgroundModes: [] } };
const same = <T>(mod: T) => mod;
/** As app.plugin.d.ts has it, and whole: what is in one of the two only does not compile, or is refused by the plugin. */
const ALL: { [K in keyof Options]-?: NonNullable<Options[K]> extends boolean ? boolean : Required<NonNullable<Options[K]>> } = {
  sqlcipher: true,
  fts5: false,
  buildFromSource: true,
  excludeFromBackup: true,
  android: { cleartextHosts: ['10.0.2.2'] },
  ios: { backgroundModes: ['fetch'], fileProtection: 'complete' },
};

test('without options, and with the default of each, nothing changes', async () => {
  const plain = sums(await prebuild(undefined, undefined, (config) => config));
  for (const options of [undefined, {}, { android: {}, ios: {} }]) assert.deepEqual(sums(await prebuild(options)), plain);
  // Expo writes a file that a plugin has looked at in its own layout.
  const looked: ConfigPlugin<unknown> = (config) => withAndroidManifest(withGradleProperties(withPodfileProperties(config, same), same), same);
  assert.deepEqual(sums(await prebuild(DEFAULTS)), sums(await prebuild(undefined, undefined, looked)));
});

test('the second prebuild changes nothing', async () => {
  const project = await prebuild(ALL);
  const first = sums(project);
  assert.deepEqual(sums(await prebuild(ALL, project)), first);
});

test('an option that is given its default is taken back, one that is left out stays', async () => {
  const project = await prebuild(ALL);
  await prebuild({}, project);
  assert.equal(setting(project, 'sqlcipher'), 'true');
  assert.match(read(project, MANIFEST), /networkSecurityConfig/);
  await prebuild(DEFAULTS, project);
  for (const name of ['buildFromSource', 'sqlcipher', 'fts5']) assert.equal(setting(project, name), undefined);
  assert.doesNotMatch(read(project, MANIFEST), /networkSecurityConfig/);
  for (const type of ['main', 'debug', 'debugOptimized']) assert.ok(!existsSync(join(project, security(type))), type);
});

test('buildFromSource', async () => {
  assert.equal(setting(await prebuild({ buildFromSource: true }), 'buildFromSource'), 'true');
});

test('sqlcipher', async () => {
  const project = await prebuild({ sqlcipher: true });
  assert.equal(setting(project, 'sqlcipher'), 'true');
  assert.equal(setting(project, 'fts5'), undefined);
  await assert.rejects(prebuild({ sqlcipher: true, buildFromSource: false }), /@omnii\/sync: 'sqlcipher: true' .*'buildFromSource: false'/);
});

test('fts5', async () => {
  assert.equal(setting(await prebuild({ fts5: false }), 'fts5'), 'false');
  await assert.rejects(prebuild({ fts5: false, buildFromSource: false }), /@omnii\/sync: 'fts5: false' .*'buildFromSource: false'/);
});

test('excludeFromBackup', async () => {
  for (const value of [true, false]) {
    const project = await prebuild({ excludeFromBackup: value });
    assert.match(read(project, PLIST), new RegExp(`<key>OmniiSyncExcludeFromBackup</key>\\s*<${value}/>`));
    assert.match(read(project, MANIFEST), new RegExp(`<meta-data android:name="dev\\.omnii\\.sync\\.excludeFromBackup" android:value="${value}"/>`));
  }
});

test('ios.fileProtection', async () => {
  const project = await prebuild({ ios: { fileProtection: 'complete' } });
  assert.match(read(project, PLIST), /<key>OmniiSyncFileProtection<\/key>\s*<string>complete<\/string>/);
});

test('ios.backgroundModes are added to those of the app', async () => {
  const project = await prebuild({ ios: { backgroundModes: ['fetch'] } });
  await prebuild({ ios: { backgroundModes: ['fetch', 'processing'] } }, project);
  assert.match(read(project, PLIST), /<key>UIBackgroundModes<\/key>\s*<array>\s*<string>fetch<\/string>\s*<string>processing<\/string>\s*<\/array>/);
});

test('android.cleartextHosts: these hosts in all builds, everything in debug builds as before', async () => {
  const project = await prebuild({ android: { cleartextHosts: ['10.0.2.2', 'Mac.local', 'mac.local'] } });
  assert.match(read(project, MANIFEST), /<application [^>]*android:networkSecurityConfig="@xml\/omnii_sync_network_security"/);
  const main = read(project, security('main'));
  assert.deepEqual([...main.matchAll(/<domain includeSubdomains="false">(.*)<\/domain>/g)].map(([, host]) => host), ['10.0.2.2', 'mac.local']);
  assert.match(main, /<base-config cleartextTrafficPermitted="false" \/>/);
  // With a network security config Android no longer looks at usesCleartextTraffic, by which the template lets debug builds
  // reach Metro: each build type that has that must have a config that says the same.
  const types = readdirSync(join(project, 'android/app/src')).filter((type) => existsSync(join(project, `android/app/src/${type}/AndroidManifest.xml`)));
  const open = types.filter((type) => read(project, `android/app/src/${type}/AndroidManifest.xml`).includes('usesCleartextTraffic="true"'));
  assert.deepEqual(open, ['debug', 'debugOptimized'], 'what README and the plugin say of Expo’s template');
  for (const type of open) assert.match(read(project, security(type)), /<base-config cleartextTrafficPermitted="true" \/>/);
});

test('android.cleartextHosts: a config of the app’s own is not overwritten', async () => {
  const own: ConfigPlugin<unknown> = (config, options) => {
    const manifest = join(work, 'own', MANIFEST);
    execFileSync('sed', ['-i', 's#<application #<application android:networkSecurityConfig="@xml/own" #', manifest]);
    return withOmniiSync(config, options);
  };
  await assert.rejects(
    prebuild({ android: { cleartextHosts: ['localhost'] } }, join(work, 'own'), own),
    /@omnii\/sync: .*config of its own \(@xml\/own\).*'android\.cleartextHosts'/
  );
  assert.match(read(join(work, 'own'), MANIFEST), /networkSecurityConfig="@xml\/own"/);
});

test('android.cleartextHosts: only hosts of local development', async () => {
  const accepted = ['localhost', '10.0.2.2', '10.255.0.1', '127.0.0.1', '192.168.1.20', '172.16.0.1', '172.31.255.255', 'my-mac.local', 'a.b.local'];
  await prebuild({ android: { cleartextHosts: accepted } });
  const refused = [
    'example.com', '8.8.8.8', '172.15.0.1', '172.32.0.1', '192.169.0.1', '10.0.2', '10.0.2.256', '10.0.2.2.example.com', 'local', '.local', '*.local',
    'local.example.com', 'http://localhost', 'localhost:8080', '', ' localhost', 'localhost\n', '<a>.local', 7, null,
  ];
  for (const host of refused) {
    await assert.rejects(
      async () => prebuild({ android: { cleartextHosts: ['localhost', host] } }),
      /@omnii\/sync: 'android\.cleartextHosts' of the config plugin must be a list of local hosts/,
      JSON.stringify(host)
    );
  }
});

test('what an option cannot be is refused, and the message names the option', async () => {
  const wrong: [unknown, string][] = [
    [{ buildFromSource: 'yes' }, 'buildFromSource'],
    [{ sqlcipher: 'true' }, 'sqlcipher'],
    [{ fts5: 1 }, 'fts5'],
    [{ excludeFromBackup: null }, 'excludeFromBackup'],
    [{ android: [] }, 'android'],
    [{ android: { cleartextHosts: 'localhost' } }, 'android.cleartextHosts'],
    [{ android: { cleartext: true } }, 'android.cleartext'],
    [{ ios: 'fetch' }, 'ios'],
    [{ ios: { fileProtection: 'strong' } }, 'ios.fileProtection'],
    [{ ios: { backgroundModes: ['audio'] } }, 'ios.backgroundModes'],
    [{ ios: { cleartextHosts: [] } }, 'ios.cleartextHosts'],
    [{ sqlite: true }, 'sqlite'],
    [{ toString: true }, 'toString'],
  ];
  for (const [options, name] of wrong) {
    await assert.rejects(
      async () => prebuild(options),
      ({ message }: Error) => message.startsWith('@omnii/sync: ') && message.includes('config plugin') && message.includes(`'${name}'`),
      name
    );
  }
  await assert.rejects(async () => prebuild([]), /@omnii\/sync: the options of the config plugin must be an object/);
});
