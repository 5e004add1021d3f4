// Expo's own configuration. In this repository `@omnii/sync` is taken from its sources, by an export condition that only this
// app asks for; an app that has installed the package needs none of this.
const { getDefaultConfig } = require('expo/metro-config');

const config = getDefaultConfig(__dirname);
config.resolver.unstable_conditionNames = ['omnii-source', ...config.resolver.unstable_conditionNames];

module.exports = config;
