// What React Native's and Expo's autolinking take from here. iOS needs nothing: it finds OmniiSync.podspec, and
// `codegenConfig.ios` of package.json names the module's provider.
module.exports = {
  dependency: {
    platforms: {
      android: {
        // The target of android/CMakeLists.txt that is linked into the app's own library.
        cxxModuleCMakeListsModuleName: 'omnii_sync_module',
        cxxModuleCMakeListsPath: 'CMakeLists.txt',
        // `<name>.h` is included, and the class of that name is made when JavaScript asks for its `kModuleName`.
        cxxModuleHeaderName: 'OmniiSyncModule',
      },
    },
  },
};
