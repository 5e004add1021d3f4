// Lints the TypeScript layer. Type-aware rules need the root tsconfig.json, which covers js/.
import tseslint from 'typescript-eslint';

export default tseslint.config({
  files: ['js/**/*.ts', 'js/**/*.tsx'],
  extends: [tseslint.configs.strictTypeChecked, tseslint.configs.stylisticTypeChecked],
  languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
  rules: {
    // Object types are written as `type` throughout: unions and objects alike.
    '@typescript-eslint/consistent-type-definitions': ['error', 'type'],
    '@typescript-eslint/consistent-type-imports': ['error', { fixStyle: 'inline-type-imports' }],
    '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true }],
    // Query methods name the row type for the caller's convenience, as the whole field does.
    '@typescript-eslint/no-unnecessary-type-parameters': 'off',
    // What the app threw is rethrown unchanged.
    '@typescript-eslint/only-throw-error': ['error', { allowThrowingUnknown: true, allowThrowingAny: false }],
  },
}, {
  files: ['example-app/src/**/*.ts', 'example-app/src/**/*.tsx', 'scripts/phone/**/*.ts', 'rust/host/phone/**/*.ts'],
  // Tests are registered, not awaited.
  ignores: ['scripts/phone/test/**'],
  extends: [tseslint.configs.recommendedTypeChecked],
  languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
}, {
  files: ['js/NativeOmniiSync.ts'],
  // React Native's codegen reads interfaces only.
  rules: { '@typescript-eslint/consistent-type-definitions': 'off', '@typescript-eslint/array-type': 'off' },
}, {
  files: ['js/test/**'],
  rules: {
    // Misuse is what these tests are about, and harness tests are registered, not awaited.
    '@typescript-eslint/no-floating-promises': 'off',
    '@typescript-eslint/require-await': 'off',
    '@typescript-eslint/no-unused-expressions': 'off',
    '@typescript-eslint/only-throw-error': 'off',
    '@typescript-eslint/prefer-promise-reject-errors': 'off',
    // react-test-renderer calls itself deprecated, and is still React's own renderer for tests.
    '@typescript-eslint/no-deprecated': 'off',
  },
});
