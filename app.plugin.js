// The Expo config plugin. All options are optional, and without any it changes nothing: autolinking needs no plugin.
//
//   ["@omnii/sync", { "ios": { "fileProtection": "complete" }, "excludeFromBackup": true }]
//
//   buildFromSource         build the engine with the app instead of taking the compiled one; needs Rust. Default: false
//   sqlcipher               SQLCipher in place of plain SQLite, for `encryptionKey`; builds from source. Default: false
//   fts5                    false leaves FTS5 out of SQLite; builds from source. Default: true, as in the compiled engine
//   excludeFromBackup       keep databases out of iCloud and Android backups
//   android.cleartextHosts  hosts of local development that the app's own fetch may reach by plain HTTP in any build
//   ios.backgroundModes     UIBackgroundModes to add: "fetch", "processing", "remote-notification"
//   ios.fileProtection      "none", "complete", "completeUnlessOpen" or "completeUntilFirstUserAuthentication"
//
// An option that is left out leaves the native projects as they are; one that is given its default takes back what an earlier
// prebuild has set (backgroundModes only adds). Plain HTTP in debug builds needs no option: Expo's
// template allows it there.
const { mkdirSync, rmSync, writeFileSync } = require('node:fs');
const { join } = require('node:path');

const NAME = '@omnii/sync';
const BACKGROUND_MODES = ['fetch', 'processing', 'remote-notification'];
const PROTECTIONS = ['none', 'complete', 'completeUnlessOpen', 'completeUntilFirstUserAuthentication'];
/** What android/CMakeLists.txt and OmniiSync.podspec read, and what holds where they find nothing. */
const SETTINGS = { buildFromSource: false, sqlcipher: false, fts5: true };

/** Each answers whether a value will do, or else what there should have been. */
const OPTIONS = {
  buildFromSource: isBoolean,
  sqlcipher: isBoolean,
  fts5: isBoolean,
  excludeFromBackup: isBoolean,
  android: { cleartextHosts: areLocalHosts },
  ios: {
    backgroundModes: (value) => isListOf(value, (mode) => BACKGROUND_MODES.includes(mode)) || `a list of ${BACKGROUND_MODES.join(', ')}`,
    fileProtection: (value) => PROTECTIONS.includes(value) || `one of ${PROTECTIONS.join(', ')}`,
  },
};

const NETWORK_SECURITY = 'omnii_sync_network_security';
/** The build types in which Expo's template allows plain HTTP to everywhere: a network security config must not take that back. */
const DEBUG_TYPES = ['debug', 'debugOptimized'];

function withOmniiSync(config, given) {
  const options = given ?? {};
  check('', options, OPTIONS);
  for (const [name, asked] of [['sqlcipher', options.sqlcipher === true], ['fts5', options.fts5 === false]]) {
    if (asked && options.buildFromSource === false) {
      throw new Error(`${NAME}: '${name}: ${options[name]}' of the config plugin needs a build from source: leave 'buildFromSource: false' out`);
    }
  }
  // The app's own Expo: this package has none.
  const plugins = require(require.resolve('expo/config-plugins', { paths: [config._internal?.projectRoot ?? process.cwd(), __dirname] }));
  for (const [name, otherwise] of Object.entries(SETTINGS)) {
    if (options[name] !== undefined) {
      config = withSetting(plugins, config, `omniiSync.${name}`, options[name] === otherwise ? undefined : String(options[name]));
    }
  }
  config = withInfoPlist(plugins, config, options);
  if (options.excludeFromBackup !== undefined) config = withBackupMetaData(plugins, config, options.excludeFromBackup);
  if (options.android?.cleartextHosts !== undefined) config = withCleartextHosts(plugins, config, options.android.cleartextHosts);
  return config;
}

function withSetting({ withGradleProperties, withPodfileProperties }, config, key, value) {
  config = withPodfileProperties(config, (mod) => {
    if (value === undefined) delete mod.modResults[key];
    else mod.modResults[key] = value;
    return mod;
  });
  return withGradleProperties(config, (mod) => {
    mod.modResults = mod.modResults.filter((item) => item.key !== key);
    if (value !== undefined) mod.modResults.push({ type: 'property', key, value });
    return mod;
  });
}

function withInfoPlist(plugins, config, { excludeFromBackup, ios: { backgroundModes = [], fileProtection } = {} }) {
  if (backgroundModes.length === 0 && fileProtection === undefined && excludeFromBackup === undefined) return config;
  return plugins.withInfoPlist(config, (mod) => {
    const plist = mod.modResults;
    if (backgroundModes.length > 0) plist.UIBackgroundModes = [...new Set([...(plist.UIBackgroundModes ?? []), ...backgroundModes])];
    if (fileProtection !== undefined) plist.OmniiSyncFileProtection = fileProtection;
    if (excludeFromBackup !== undefined) plist.OmniiSyncExcludeFromBackup = excludeFromBackup;
    return mod;
  });
}

function withBackupMetaData({ AndroidConfig: { Manifest }, withAndroidManifest }, config, value) {
  return withAndroidManifest(config, (mod) => {
    const application = Manifest.getMainApplicationOrThrow(mod.modResults);
    Manifest.addMetaDataItemToMainApplication(application, 'dev.omnii.sync.excludeFromBackup', String(value));
    return mod;
  });
}

function withCleartextHosts({ AndroidConfig: { Manifest }, withAndroidManifest, withDangerousMod }, config, given) {
  const hosts = [...new Set(given.map((host) => host.toLowerCase()))];
  const domains = hosts.map((host) => `    <domain includeSubdomains="false">${host}</domain>\n`).join('');
  const forHosts = `  <base-config cleartextTrafficPermitted="false" />\n  <domain-config cleartextTrafficPermitted="true">\n${domains}  </domain-config>\n`;
  const forAll = '  <base-config cleartextTrafficPermitted="true" />\n';
  config = withAndroidManifest(config, (mod) => {
    const { $: attributes } = Manifest.getMainApplicationOrThrow(mod.modResults);
    const key = 'android:networkSecurityConfig';
    const ours = `@xml/${NETWORK_SECURITY}`;
    if (hosts.length > 0 && attributes[key] !== undefined && attributes[key] !== ours) {
      throw new Error(`${NAME}: the app has a network security config of its own (${attributes[key]}): add the hosts of 'android.cleartextHosts' to that one`);
    }
    if (hosts.length > 0) attributes[key] = ours;
    else if (attributes[key] === ours) delete attributes[key];
    return mod;
  });
  return withDangerousMod(config, [
    'android',
    (mod) => {
      for (const type of ['main', ...DEBUG_TYPES]) {
        const folder = join(mod.modRequest.platformProjectRoot, 'app/src', type, 'res/xml');
        const file = join(folder, `${NETWORK_SECURITY}.xml`);
        if (hosts.length === 0) {
          rmSync(file, { force: true });
          continue;
        }
        mkdirSync(folder, { recursive: true });
        const rules = type === 'main' ? forHosts : forAll;
        writeFileSync(file, `<?xml version="1.0" encoding="utf-8"?>\n<network-security-config>\n${rules}</network-security-config>\n`);
      }
      return mod;
    },
  ]);
}

function check(prefix, given, known) {
  if (!isObject(given)) throw new Error(`${NAME}: ${prefix ? `'${prefix.slice(0, -1)}'` : 'the options'} of the config plugin must be an object`);
  for (const [name, value] of Object.entries(given)) {
    if (!Object.hasOwn(known, name)) throw new Error(`${NAME}: the config plugin has no option '${prefix}${name}'`);
    if (value === undefined) continue;
    if (typeof known[name] !== 'function') {
      check(`${prefix}${name}.`, value, known[name]);
      continue;
    }
    const answer = known[name](value);
    if (answer !== true) throw new Error(`${NAME}: '${prefix}${name}' of the config plugin must be ${answer}, not ${JSON.stringify(value)}`);
  }
}

function isBoolean(value) {
  return typeof value === 'boolean' || 'true or false';
}

function isObject(value) {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isListOf(value, isRight) {
  return Array.isArray(value) && value.every(isRight);
}

/** This device, the emulator's host and addresses of private networks, without scheme or port: nothing of the internet. */
function areLocalHosts(value) {
  const byte = '(25[0-5]|2[0-4]\\d|1\\d\\d|[1-9]?\\d)';
  const address = `(127\\.${byte}|10\\.${byte}|192\\.168|172\\.(1[6-9]|2\\d|3[01]))\\.${byte}\\.${byte}`;
  const local = new RegExp(`^(localhost|([a-z\\d-]+\\.)+local|${address})$`, 'i');
  return (
    isListOf(value, (host) => typeof host === 'string' && local.test(host)) ||
    'a list of local hosts without scheme or port (localhost, 10.0.2.2, an address of a private network, a name under .local), because plain HTTP is for development'
  );
}

module.exports = withOmniiSync;
