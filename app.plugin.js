// The Expo config plugin. All options are optional, and without any it changes nothing: autolinking needs no plugin.
//
//   ["@omnii/sync", { "ios": { "fileProtection": "complete" }, "excludeFromBackup": true }]
//
//   buildFromSource         build the engine with the app instead of taking the compiled one; needs Rust
//   excludeFromBackup       keep databases out of iCloud and Android backups
//   ios.backgroundModes     UIBackgroundModes to add: "fetch", "processing", "remote-notification"
//   ios.fileProtection      "none", "complete", "completeUnlessOpen" or "completeUntilFirstUserAuthentication"
//
// Plain HTTP to a server on the developer's machine needs no option: Expo's template allows it in debug builds, and only there.
const NAME = '@omnii/sync';
const BACKGROUND_MODES = ['fetch', 'processing', 'remote-notification'];
const PROTECTIONS = ['none', 'complete', 'completeUnlessOpen', 'completeUntilFirstUserAuthentication'];
const OPTIONS = { buildFromSource: isBoolean, excludeFromBackup: isBoolean, ios: isObject };
const IOS = {
  backgroundModes: (value) => Array.isArray(value) && value.every((mode) => BACKGROUND_MODES.includes(mode)),
  fileProtection: (value) => PROTECTIONS.includes(value),
};

function withOmniiSync(config, given) {
  const options = given ?? {};
  check('', options, OPTIONS);
  check('ios.', options.ios ?? {}, IOS);
  // The app's own Expo: this package has none.
  const { AndroidConfig, withAndroidManifest, withGradleProperties, withInfoPlist, withPodfileProperties } = require(
    require.resolve('expo/config-plugins', { paths: [config._internal?.projectRoot ?? process.cwd(), __dirname] })
  );
  const { backgroundModes = [], fileProtection } = options.ios ?? {};

  if (backgroundModes.length > 0 || fileProtection !== undefined || options.excludeFromBackup !== undefined) {
    config = withInfoPlist(config, (mod) => {
      const plist = mod.modResults;
      if (backgroundModes.length > 0) {
        plist.UIBackgroundModes = [...new Set([...(plist.UIBackgroundModes ?? []), ...backgroundModes])];
      }
      if (fileProtection !== undefined) plist.OmniiSyncFileProtection = fileProtection;
      if (options.excludeFromBackup !== undefined) plist.OmniiSyncExcludeFromBackup = options.excludeFromBackup;
      return mod;
    });
  }
  if (options.excludeFromBackup !== undefined) {
    config = withAndroidManifest(config, (mod) => {
      const application = AndroidConfig.Manifest.getMainApplicationOrThrow(mod.modResults);
      const value = String(options.excludeFromBackup);
      AndroidConfig.Manifest.addMetaDataItemToMainApplication(application, 'dev.omnii.sync.excludeFromBackup', value);
      return mod;
    });
  }
  if (options.buildFromSource !== undefined) {
    const value = String(options.buildFromSource);
    config = withPodfileProperties(config, (mod) => {
      mod.modResults['omniiSync.buildFromSource'] = value;
      return mod;
    });
    config = withGradleProperties(config, (mod) => {
      const others = mod.modResults.filter((item) => item.key !== 'omniiSync.buildFromSource');
      mod.modResults = [...others, { type: 'property', key: 'omniiSync.buildFromSource', value }];
      return mod;
    });
  }
  return config;
}

function check(prefix, given, known) {
  if (!isObject(given)) throw new Error(`${NAME}: the options of the config plugin must be an object`);
  for (const [name, value] of Object.entries(given)) {
    if (!Object.hasOwn(known, name)) throw new Error(`${NAME}: the config plugin has no option '${prefix}${name}'`);
    if (!known[name](value)) throw new Error(`${NAME}: '${prefix}${name}' of the config plugin has a wrong value`);
  }
}

function isBoolean(value) {
  return typeof value === 'boolean';
}

function isObject(value) {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

module.exports = withOmniiSync;
