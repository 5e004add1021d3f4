// What esbuild has to know about Hermes 1.0: which syntax its compiler takes, and how packages are resolved for it.

export { root } from '../root.mjs';

/**
 * Hermes 1.0 takes ES2022 (classes with private members, async functions, `for await`), tried with its own compiler, but
 * no asynchronous generators and no `import()`; newer syntax is lowered by the target.
 */
export const hermesOptions = {
  bundle: true,
  format: 'iife',
  platform: 'neutral',
  target: 'es2022',
  supported: { 'async-generator': false, 'dynamic-import': false, 'import-meta': false },
  // As Metro resolves packages for a phone.
  mainFields: ['react-native', 'browser', 'main'],
  conditions: ['react-native'],
  charset: 'utf8',
  legalComments: 'none',
};
