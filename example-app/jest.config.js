/** Component tests: React Native by jest-expo, the database by the package's own fake over SQLite in memory. */
module.exports = {
  preset: 'jest-expo',
  setupFiles: ['./test/setup.ts'],
  setupFilesAfterEnv: ['./test/setupAfterEnv.ts'],
  // The package's sources, as in metro.config.js.
  testEnvironmentOptions: { customExportConditions: ['omnii-source', 'require', 'react-native'] },
  testTimeout: 60_000,
  testMatch: ['<rootDir>/test/**/*.test.tsx'],
  // jest-expo's own list, and the package, which is TypeScript.
  transformIgnorePatterns: [
    '/node_modules/(?!((jest-)?react-native|@react-native(-community)?|@react-native-async-storage|expo(nent)?|@expo(nent)?/.*|@expo-google-fonts/.*|react-navigation|@react-navigation/.*|@omnii/.*))',
  ],
};
